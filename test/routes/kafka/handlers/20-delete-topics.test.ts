// DeleteTopics: by name and by id, each topic by itself.
import { expect, test } from 'vitest'
import { deleteTopics } from '../../../../routes/kafka/handlers/20-delete-topics.ts'
import { ANONYMOUS } from '../../../../src/access/session.ts'
import {
  DeleteTopicsRequest,
  DeleteTopicsResponse,
} from '../../../../src/protocol/messages/20-delete-topics.ts'
import { ask, create, NO_ID } from './admin-client.ts'
import { nameOf } from './clients.ts'
import { simulatedBroker } from './exchange.ts'

const DELETE = { api: deleteTopics, request: DeleteTopicsRequest, response: DeleteTopicsResponse }
const UNKNOWN_ID = 'EcBj2HU8TJaSLKRhi_xImw'

test('DeleteTopics deletes by name and by id, and tells both', async () => {
  const { broker } = await simulatedBroker()
  const [a, b] = await create(broker, ['a', 'b', 'c'])
  const topics = [
    { name: 'a', topicId: NO_ID },
    { name: null, topicId: b?.topicId ?? '' },
  ]
  const { responses } = await ask(broker, DELETE, { topics, timeoutMs: 1000 })
  const done = { errorCode: 0, errorMessage: null }
  expect(responses).toEqual([
    { ...done, name: 'a', topicId: a?.topicId },
    { ...done, name: 'b', topicId: b?.topicId },
  ])
  expect(broker.listTopics(ANONYMOUS).map(({ name }) => name)).toEqual(['c'])
})

test('DeleteTopics answers each topic that it refuses once, and deletes the others', async () => {
  const { broker } = await simulatedBroker()
  const [a, b] = await create(broker, ['a', 'b', 'c'])
  const asked: [string | null, string][] = [
    ['nope', NO_ID],
    ['', NO_ID],
    [null, NO_ID],
    [null, UNKNOWN_ID],
    ['a', a?.topicId ?? ''],
    ['b', NO_ID],
    ['b', NO_ID],
    [null, b?.topicId ?? ''],
    ['c', NO_ID],
  ]
  const topics = asked.map(([name, topicId]) => ({ name, topicId }))
  const { responses } = await ask(broker, DELETE, { topics, timeoutMs: 1000 })
  expect(responses.map(({ name, errorCode }) => [name, nameOf(errorCode)])).toEqual([
    ['nope', 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['', 'UNKNOWN_TOPIC_OR_PARTITION'],
    [null, 'INVALID_REQUEST'],
    [null, 'UNKNOWN_TOPIC_ID'],
    ['a', 'INVALID_REQUEST'],
    ['b', 'INVALID_REQUEST'],
    ['b', 'NONE'],
    ['c', 'NONE'],
  ])
  expect(broker.listTopics(ANONYMOUS).map(({ name }) => name)).toEqual(['a'])
})

test('DeleteTopics refuses a topic that is given by its name and by its id', async () => {
  const { broker } = await simulatedBroker()
  const [a] = await create(broker, ['a'])
  const topics = [
    { name: 'a', topicId: NO_ID },
    { name: null, topicId: a?.topicId ?? '' },
  ]
  const { responses } = await ask(broker, DELETE, { topics, timeoutMs: 1000 })
  expect(responses.map(({ errorCode }) => nameOf(errorCode))).toEqual([
    'INVALID_REQUEST',
    'INVALID_REQUEST',
  ])
  expect(broker.listTopics(ANONYMOUS).length).toBe(1)
})

test.each([
  { version: 1, error: 'INVALID_REQUEST' },
  { version: 2, error: 'INVALID_REQUEST' },
  { version: 3, error: 'TOPIC_DELETION_DISABLED' },
])(
  'DeleteTopics says in version $version that it is switched off as $error',
  async ({ version, error }) => {
    const { broker } = await simulatedBroker({ config: { 'delete.topic.enable': 'false' } })
    await create(broker, ['a'])
    const request = { topicNames: ['a', 'b'], timeoutMs: 1000 }
    const { responses } = await ask(broker, DELETE, request, version)
    expect(responses.map(({ name, errorCode }) => [name, nameOf(errorCode)])).toEqual([
      ['a', error],
      ['b', error],
    ])
  },
)

test.each([1, 2, 3, 4, 5])('DeleteTopics is served in version %i', async (version) => {
  const { broker } = await simulatedBroker()
  await create(broker, ['a'])
  const request = { topicNames: ['a'], timeoutMs: 1000 }
  const { responses } = await ask(broker, DELETE, request, version)
  expect(responses.map(({ name, errorCode }) => [name, errorCode])).toEqual([['a', 0]])
  expect(broker.listTopics(ANONYMOUS)).toEqual([])
})

test('DeleteTopics without time deletes nothing', async () => {
  const { broker } = await simulatedBroker()
  await create(broker, ['a'])
  const topics = [{ name: 'a', topicId: NO_ID }]
  const { responses } = await ask(broker, DELETE, { topics, timeoutMs: 0 })
  expect(nameOf(responses[0]?.errorCode ?? 0)).toBe('REQUEST_TIMED_OUT')
  expect(broker.listTopics(ANONYMOUS).length).toBe(1)
})
