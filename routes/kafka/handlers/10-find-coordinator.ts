// FindCoordinator: which broker coordinates a group.
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import {
  FindCoordinatorRequest,
  FindCoordinatorResponse,
} from '#src/protocol/messages/10-find-coordinator.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { api, type RequestContext } from '../api.ts'
import { nodes } from '../nodes.ts'
import { messageOf } from '../outcome.ts'

const GROUP = 0
const TRANSACTION = 1
const SHARE = 2
const MANY_KEYS_SINCE = 4
const SHARES_SINCE = 6
const NOBODY = { nodeId: -1, host: '', port: -1 } as const

/**
 * Each key by itself. Transactions and share groups have no coordinator yet: clients take UNSUPPORTED_VERSION as final,
 * where anything that could pass would keep them asking.
 */
export const findCoordinator = api({
  request: FindCoordinatorRequest,
  response: FindCoordinatorResponse,
  async handle(context, request) {
    const { keyType } = request
    const keys = context.version >= MANY_KEYS_SINCE ? request.coordinatorKeys : [request.key]
    const found = await Promise.all(keys.map((key) => find(context, keyType, key)))
    const [first = refused('', noCoordinator(keyType, context.version))] = found
    return context.version >= MANY_KEYS_SINCE
      ? { throttleTimeMs: 0, coordinators: found }
      : { throttleTimeMs: 0, ...alone(first) }
  },
  refuse: (error, { coordinatorKeys }, { version }) =>
    version >= MANY_KEYS_SINCE
      ? { throttleTimeMs: 0, coordinators: coordinatorKeys.map((key) => refused(key, error)) }
      : { throttleTimeMs: 0, ...alone(refused('', error)) },
})

/** What became of one key. */
interface Found {
  readonly key: string
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly errorCode: number
  readonly errorMessage: string | null
}

async function find(context: RequestContext, keyType: number, key: string): Promise<Found> {
  try {
    if (keyType !== GROUP) throw noCoordinator(keyType, context.version)
    const id = await context.broker.groups.findCoordinator(context.session, key)
    const node = nodes(context).find((candidate) => candidate.id === id && !candidate.isFenced)
    if (node) {
      const { host, port } = node
      // As Kafka says it.
      const errorMessage = context.version >= MANY_KEYS_SINCE ? '' : 'NONE'
      return { key, nodeId: id, host, port, errorCode: NO_ERROR, errorMessage }
    }
    throw new KafkaError('COORDINATOR_NOT_AVAILABLE', `Broker ${id} is not there`)
  } catch (error) {
    if (error instanceof KafkaError) return refused(key, error)
    throw error
  }
}

function noCoordinator(keyType: number, version: number): KafkaError {
  if (keyType === TRANSACTION || (keyType === SHARE && version >= SHARES_SINCE)) {
    const kind = keyType === TRANSACTION ? 'transactions' : 'share groups'
    return new KafkaError('UNSUPPORTED_VERSION', `There is no coordinator of ${kind} yet`)
  }
  return new KafkaError('INVALID_REQUEST', `Keys of type ${keyType} have no coordinator`)
}

function refused(key: string, error: KafkaError): Found {
  return { key, ...NOBODY, errorCode: errorCode(error.code), errorMessage: messageOf(error) }
}

/** The answer to a client that asks for one key. */
function alone({ key: _, ...found }: Found): Omit<Found, 'key'> {
  return found
}
