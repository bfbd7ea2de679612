// The local provider: starts, commits, crashes, refusals.
import { expect, test } from 'vitest'
import type { MetadataDelta } from '../../../src/metadata/delta.ts'
import { LocalMetadataProvider } from '../../../src/metadata/local-provider.ts'
import type { NewMetadataRecord } from '../../../src/protocol/records/metadata-record.ts'
import { KafkaError, StorageFault } from '../../../storage/base/errors.ts'
import { MemoryStore } from './memory-store.ts'
import {
  DIRECTORY_ID,
  dataRecords,
  NODE_ID,
  optionsFor,
  plain,
  startProvider,
  storedRecords,
} from './provider-fixture.ts'

const hex = (bytes: Uint8Array | null) => Buffer.from(bytes ?? []).toString('hex')
const createTopics = (...names: string[]) =>
  ({ kind: 'createTopics', topics: names.map((name) => ({ name })) }) as const
const names = (provider: LocalMetadataProvider) =>
  [...provider.image.topics()].map((topic) => topic.name).sort()

test('a new log begins with the records that Kafka begins with', async () => {
  const { provider, store } = await startProvider()
  expect(store.batches).toEqual([
    { isControl: true, epoch: 1, count: 3 },
    { isControl: false, epoch: 1, count: 9 },
    { isControl: false, epoch: 1, count: 1 },
    { isControl: false, epoch: 1, count: 1 },
  ])
  expect(store.quorumState).toEqual({ leaderId: NODE_ID, leaderEpoch: 1 })
  // As in a log that Kafka 4.3.1 wrote, but for host and port.
  const control = store.records.slice(0, 3).map(({ key, value }) => [hex(key), hex(value)])
  expect(control).toEqual([
    ['00000002', '00000000000102000000010002000000010000'],
    ['00000005', '0000000100'],
    [
      '00000006',
      `0000020000000111c063d8753c4c96922ca4618bfc489b020b434f4e54524f4c4c45520a${hex(new TextEncoder().encode('localhost'))}238500000000010000 00`.replace(
        ' ',
        '',
      ),
    ],
  ])
  const records = dataRecords(store.records)
  expect(records.slice(1, 8).map(({ data }) => Object.values(data))).toEqual([
    ['metadata.version', 30],
    ['eligible.leader.replicas.version', 1],
    ['group.version', 1],
    ['share.version', 1],
    ['streams.version', 1],
    ['transaction.version', 2],
    [4, '', 'min.insync.replicas', '1'],
  ])
  expect(provider.epoch).toBe(1)
  expect(provider.brokerEpoch).toBe(12)
  expect(provider.image.brokers.get(NODE_ID)).toMatchObject({
    brokerEpoch: 12,
    fenced: false,
    logDirs: [DIRECTORY_ID],
  })
  expect(provider.image.state.quorum).toMatchObject({ leaderId: 1, kRaftVersion: 1 })
  expect(provider.image.state.quorum.voters?.[0]?.voterDirectoryId).toBe(DIRECTORY_ID)
})

test('each start has a new epoch, above the log and above quorum-state', async () => {
  const { store } = await startProvider()
  const second = await startProvider(store.afterCrash())
  expect(second.provider.epoch).toBe(2)
  expect(second.store.batches[0]).toEqual({ isControl: true, epoch: 2, count: 1 })
  expect(second.provider.brokerEpoch).toBe(second.store.records.length - 2)
  const ahead = new MemoryStore(second.store.records, { leaderId: 1, leaderEpoch: 7 })
  expect((await startProvider(ahead)).provider.epoch).toBe(8)
  const lost = new MemoryStore(ahead.records)
  expect((await startProvider(lost)).provider.epoch).toBe(9)
})

test('a start that ended after the first batch is made up for by the next', async () => {
  const { store } = await startProvider()
  const torn = await startProvider(new MemoryStore(store.records.slice(0, 3)))
  expect(torn.provider.image.features.get('metadata.version')).toBe(30)
  expect(torn.provider.image.state.quorum.kRaftVersion).toBe(1)
})

test('a transaction that the log ends in is aborted', async () => {
  const begin: NewMetadataRecord = { type: 'BeginTransactionRecord', version: 0, data: {} }
  const topic: NewMetadataRecord = {
    type: 'TopicRecord',
    version: 0,
    data: { name: 'half', topicId: DIRECTORY_ID },
  }
  const { provider, store } = await startProvider(new MemoryStore(storedRecords([begin, topic])))
  expect(dataRecords(store.records)[2]?.type).toBe('AbortTransactionRecord')
  expect(names(provider)).toEqual([])
  const again = LocalMetadataProvider.open(optionsFor(store.afterCrash()))
  expect(names(again)).toEqual([])
})

test('open() writes nothing', async () => {
  const { store } = await startProvider()
  const length = store.records.length
  LocalMetadataProvider.open(optionsFor(store))
  expect(store.records).toHaveLength(length)
})

const ALONE = { replicas: [1], isr: [] as number[], leader: -1 }
test.each([
  { why: 'from the ELR, as after a clean Kafka stop', state: { ...ALONE, elr: [1], known: [1] } },
  { why: 'from the ISR', state: { ...ALONE, isr: [1], elr: [], known: [] } },
  { why: 'from the last known ELR', state: { ...ALONE, elr: [], known: [1] } },
])('start() elects the only replica $why', async ({ state }) => {
  const { provider, store } = await startWithPartition(state)
  expect(provider.image.partition({ topic: 't', partition: 0 })).toMatchObject({
    leader: 1,
    isr: [1],
    elr: [],
    lastKnownElr: [],
    leaderEpoch: 6,
    partitionEpoch: 8,
  })
  // One batch: the broker is up, and these are its partitions.
  expect(store.batches.at(-1)?.count).toBe(2)
})

test.each([
  { why: 'a replica that nobody knows to be complete', state: { ...ALONE, elr: [], known: [] } },
  { why: 'one of several', state: { ...ALONE, replicas: [1, 2], elr: [1], known: [] } },
  { why: 'another broker', state: { ...ALONE, replicas: [2], elr: [2], known: [] } },
])('start() does not elect $why', async ({ state }) => {
  const { provider } = await startWithPartition(state)
  expect(provider.image.partition({ topic: 't', partition: 0 })?.leader).toBe(-1)
})

async function startWithPartition(state: {
  replicas: number[]
  isr: number[]
  leader: number
  elr: number[]
  known: number[]
}) {
  const { store } = await startProvider()
  const topicId = DIRECTORY_ID
  const partition: NewMetadataRecord = {
    type: 'PartitionRecord',
    version: 2,
    data: {
      partitionId: 0,
      topicId,
      replicas: state.replicas,
      isr: state.isr,
      removingReplicas: [],
      addingReplicas: [],
      leader: state.leader,
      leaderEpoch: 5,
      partitionEpoch: 7,
      directories: state.replicas.map(() => DIRECTORY_ID),
      eligibleLeaderReplicas: state.elr,
      lastKnownElr: state.known,
    },
  }
  const topic: NewMetadataRecord = { type: 'TopicRecord', version: 0, data: { name: 't', topicId } }
  const tail = storedRecords([topic, partition]).map((record) => ({
    ...record,
    offset: store.records.length + record.offset,
  }))
  return startProvider(new MemoryStore([...store.records, ...tail]))
}

test('submit() shows and tells nothing before the commit', async () => {
  const { provider, store } = await startProvider()
  const deltas: MetadataDelta[] = []
  provider.onDelta((delta) => deltas.push(delta))
  store.holdsCommits = true
  let answered = false
  const answer = provider.submit(createTopics('a')).then(() => {
    answered = true
  })
  await Promise.resolve()
  expect([answered, names(provider), deltas.length]).toEqual([false, [], 0])
  // The working state has it already.
  const second = provider.submit(createTopics('a', 'b'))
  store.commit()
  await answer
  expect(names(provider)).toContain('a')
  expect((await second).map((result) => result.error?.code)).toEqual([
    'TOPIC_ALREADY_EXISTS',
    undefined,
  ])
  expect(deltas.map(({ partitions }) => partitions.map((p) => p.topic))).toEqual([
    ['a', 'a'],
    ['b', 'b'],
  ])
  expect(deltas[1]?.previous).toBe(deltas[0]?.image)
})

test('a crash between append and commit leaves what was committed', async () => {
  const { provider, store } = await startProvider()
  await provider.submit(createTopics('a'))
  store.holdsCommits = true
  const unanswered = provider.submit(createTopics('b'))
  const after = await startProvider(store.afterCrash())
  expect(names(after.provider)).toEqual(['a'])
  // Or, when the bytes did get to the disk, all of it.
  const lucky = await startProvider(new MemoryStore(store.records))
  expect(names(lucky.provider)).toEqual(['a', 'b'])
  store.commit()
  await unanswered
})

test('replay gives the image that the provider had', async () => {
  const { provider, store } = await startProvider()
  await provider.submit(createTopics('a', 'b.c', 'd'))
  await provider.submit({ kind: 'deleteTopics', topics: [{ name: 'd' }] })
  await provider.submit({ kind: 'createPartitions', topics: [{ name: 'a', count: 5 }] })
  await provider.submit({ kind: 'bumpLeaderEpochs', partitions: [{ topic: 'a', partition: 1 }] })
  await provider.submit({ kind: 'allocateProducerIds' })
  for (const copy of [store.afterCrash(), store.afterCrash()]) {
    const { image } = LocalMetadataProvider.open(optionsFor(copy))
    expect(plain(image)).toEqual(plain(provider.image))
    expect([image.offset, image.epoch]).toEqual([provider.image.offset, provider.image.epoch])
  }
})

test('an append that fails changes nothing, and the next one goes on', async () => {
  const { provider, store } = await startProvider()
  const before = provider.image
  store.nextAppendError = new KafkaError('KAFKA_STORAGE_ERROR', 'The disk is full')
  await expect(provider.submit(createTopics('a'))).rejects.toThrow('The disk is full')
  expect(provider.image).toBe(before)
  const [result] = await provider.submit(createTopics('a'))
  expect(result?.error).toBeUndefined()
})

test.each(['append', 'commit'])(
  'a fault in %s refuses everything until a restart',
  async (where) => {
    const { provider, store } = await startProvider()
    const before = provider.image
    const fault = new StorageFault('EIO')
    store.holdsCommits = true
    if (where === 'append') store.nextAppendError = fault
    const answers = [provider.submit(createTopics('a')), provider.submit(createTopics('b'))]
    const settled = Promise.allSettled(answers)
    await Promise.resolve()
    store.failCommits(fault)
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(provider.image).toBe(before)
    await expect(provider.submit(createTopics('c'))).rejects.toMatchObject({
      code: 'KAFKA_STORAGE_ERROR',
      cause: fault,
    })
  },
)

test('a commit that the system refuses is waited for: what was appended can not be taken back', async () => {
  const { provider, store } = await startProvider()
  store.holdsCommits = true
  const created = provider.submit(createTopics('a'))
  for (let refusals = 0; refusals < 3; refusals++) {
    await Promise.resolve()
    store.failCommits(new KafkaError('KAFKA_STORAGE_ERROR', 'No descriptor'))
  }
  expect(provider.image.topic('a')).toBeUndefined()
  await Promise.resolve()
  store.commit()
  await created
  expect(provider.image.topic('a')).toBeDefined()
})

test('bumpLeaderEpochs raises epochs in one append and passes over what this node does not lead', async () => {
  const { provider, store } = await startProvider()
  await provider.submit(createTopics('a', 'b'))
  const count = store.batches.length
  const partitions = [
    { topic: 'a', partition: 0 },
    { topic: 'b', partition: 1 },
    { topic: 'none', partition: 0 },
  ]
  expect(await provider.submit({ kind: 'bumpLeaderEpochs', partitions })).toEqual([
    { topic: 'a', partition: 0, leaderEpoch: 1 },
    { topic: 'b', partition: 1, leaderEpoch: 1 },
  ])
  expect(store.batches.slice(count)).toEqual([{ isControl: false, epoch: 1, count: 2 }])
  expect(provider.image.partition({ topic: 'a', partition: 0 })?.leaderEpoch).toBe(1)
  expect(provider.image.partition({ topic: 'a', partition: 1 })?.leaderEpoch).toBe(0)
})

test('allocateProducerIds gives blocks that never overlap, over restarts too', async () => {
  const { provider, store } = await startProvider()
  const both = [
    provider.submit({ kind: 'allocateProducerIds' }),
    provider.submit({ kind: 'allocateProducerIds' }),
  ]
  expect(await Promise.all(both)).toEqual([
    { first: 0, count: 1000 },
    { first: 1000, count: 1000 },
  ])
  const next = await startProvider(store.afterCrash())
  expect(await next.provider.submit({ kind: 'allocateProducerIds' })).toEqual({
    first: 2000,
    count: 1000,
  })
})

test('allocateProducerIds refuses when the ids are used up', async () => {
  const { store } = await startProvider()
  const [record] = storedRecords([
    {
      type: 'ProducerIdsRecord',
      version: 0,
      data: { brokerId: 1, brokerEpoch: 12, nextProducerId: 2n ** 63n - 1000n },
    },
  ])
  if (record === undefined) throw new Error('no record')
  const used = new MemoryStore([...store.records, { ...record, offset: store.records.length }])
  const { provider } = await startProvider(used)
  await expect(provider.submit({ kind: 'allocateProducerIds' })).rejects.toMatchObject({
    code: 'UNKNOWN_SERVER_ERROR',
  })
})

test('stop() fences the broker and keeps leaders and epochs', async () => {
  const { provider, store } = await startProvider()
  await provider.submit(createTopics('a'))
  await provider.stop()
  expect(provider.image.brokers.get(NODE_ID)).toMatchObject({
    fenced: true,
    inControlledShutdown: true,
  })
  const next = await startProvider(store.afterCrash())
  expect(next.provider.image.brokers.get(NODE_ID)).toMatchObject({
    fenced: false,
    inControlledShutdown: false,
  })
  expect(next.provider.image.partition({ topic: 'a', partition: 0 })).toMatchObject({
    leader: 1,
    leaderEpoch: 0,
    partitionEpoch: 0,
  })
})

test('onDelta() stops when told to', async () => {
  const { provider } = await startProvider()
  let calls = 0
  const stop = provider.onDelta(() => calls++)
  await provider.submit(createTopics('a'))
  stop()
  await provider.submit(createTopics('b'))
  expect(calls).toBe(1)
})

test('one topic among 10,000 is created without a walk over all of them', async () => {
  const { provider } = await startProvider()
  const topics = Array.from({ length: 10_000 }, (_, at) => ({ name: `t${at}`, partitionCount: 1 }))
  await provider.submit({ kind: 'createTopics', topics })
  const [before] = provider.image.topics()
  const start = performance.now()
  for (let at = 0; at < 1000; at++) await provider.submit(createTopics(`more-${at}`))
  expect(performance.now() - start).toBeLessThan(5000)
  expect(provider.image.topicCount).toBe(11_000)
  expect(provider.image.topic(before?.name ?? '')).toBe(before)
})
