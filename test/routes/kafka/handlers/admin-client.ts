// What tests of admin handlers have in common: a request, its answer with errors by name, and topics to work on.
import { createTopics } from '../../../../routes/kafka/handlers/19-create-topics.ts'
import type { Broker } from '../../../../src/broker/broker.ts'
import type { Message } from '../../../../src/protocol/codec/message.ts'
import {
  CreateTopicsRequest,
  CreateTopicsResponse,
} from '../../../../src/protocol/messages/19-create-topics.ts'
import { ZERO_UUID } from '../../../../storage/base/uuid.ts'
import { nameOf } from './clients.ts'
import { exchange } from './exchange.ts'

/** "No id" in a request. */
export const NO_ID = ZERO_UUID

const CREATE = { api: createTopics, request: CreateTopicsRequest, response: CreateTopicsResponse }

/** The answer in the newest version, or in this one. */
export async function ask<Q, QI, R, RI>(
  broker: Broker,
  messages: {
    api: Parameters<typeof exchange>[1]['api']
    request: Message<Q, QI>
    response: Message<R, RI>
  },
  request: QI,
  version = messages.request.latestVersion,
): Promise<R> {
  const answer = await exchange(broker, messages, request, { version })
  if (answer === undefined) throw new Error('An admin request always has an answer')
  return answer
}

/** A topic to create: one partition and the broker's settings unless told otherwise. */
export const topicToCreate = (
  name: string,
  rest: Partial<Parameters<typeof CreateTopicsRequest.encode>[0]['topics'][number]> = {},
) => ({
  name,
  numPartitions: 1,
  replicationFactor: -1,
  assignments: [],
  configs: [],
  ...rest,
})

/** Creates topics and gives the answer, errors by name. */
export async function create(
  broker: Broker,
  topics: readonly (string | ReturnType<typeof topicToCreate>)[],
  options: { validateOnly?: boolean; timeoutMs?: number; version?: number } = {},
) {
  const { version, ...rest } = options
  const asked = topics.map((topic) => (typeof topic === 'string' ? topicToCreate(topic) : topic))
  const answer = await ask(broker, CREATE, { topics: asked, ...rest }, version)
  return answer.topics.map((topic) => ({ ...topic, error: nameOf(topic.errorCode) }))
}
