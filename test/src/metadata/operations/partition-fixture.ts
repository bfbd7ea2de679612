// A provider whose log came from a cluster: one topic `t` with one partition in any state.
import type { NewMetadataRecord } from '../../../../src/protocol/records/metadata-record.ts'
import { MemoryStore } from '../memory-store.ts'
import { DIRECTORY_ID, startProvider, storedRecords } from '../provider-fixture.ts'

/** What is not said: two replicas, of which this node's is in sync and leads; the other's broker is not registered. */
export interface PartitionState {
  readonly replicas?: readonly number[]
  readonly isr?: readonly number[]
  readonly leader?: number
  readonly elr?: readonly number[]
  readonly lastKnownElr?: readonly number[]
  readonly addingReplicas?: readonly number[]
  readonly removingReplicas?: readonly number[]
  /** Whether broker 2 is registered; it is down. */
  readonly isOtherRegistered?: boolean
}

/** The directory of a replica on another broker. */
export const OTHER_DIRECTORY_ID = 'AAAAAAAAAAAAAAAAAAAAZA'

const OTHER_BROKER: NewMetadataRecord = {
  type: 'RegisterBrokerRecord',
  version: 4,
  data: {
    brokerId: 2,
    isMigratingZkBroker: false,
    incarnationId: OTHER_DIRECTORY_ID,
    brokerEpoch: 1,
    endPoints: [],
    features: [],
    rack: null,
    fenced: true,
    inControlledShutdown: false,
    logDirs: [OTHER_DIRECTORY_ID],
    cordonedLogDirs: null,
  },
}

/** A started provider with that partition, leader epoch 5, partition epoch 7. */
export async function startWithPartition({
  replicas = [1, 2],
  isr = [1],
  leader = 1,
  elr = [],
  lastKnownElr = [],
  addingReplicas = [],
  removingReplicas = [],
  isOtherRegistered = false,
}: PartitionState) {
  const { store } = await startProvider()
  const topicId = DIRECTORY_ID
  const partition: NewMetadataRecord = {
    type: 'PartitionRecord',
    version: 2,
    data: {
      partitionId: 0,
      topicId,
      ...{ replicas, isr, leader, lastKnownElr, addingReplicas, removingReplicas },
      leaderEpoch: 5,
      partitionEpoch: 7,
      directories: replicas.map((broker) => (broker === 1 ? DIRECTORY_ID : OTHER_DIRECTORY_ID)),
      eligibleLeaderReplicas: elr,
    },
  }
  const topic: NewMetadataRecord = { type: 'TopicRecord', version: 0, data: { name: 't', topicId } }
  const before = isOtherRegistered ? [OTHER_BROKER] : []
  const tail = storedRecords([...before, topic, partition]).map((record) => ({
    ...record,
    offset: store.records.length + record.offset,
  }))
  const { provider } = await startProvider(new MemoryStore([...store.records, ...tail]))
  return { provider, partition: () => provider.image.partition({ topic: 't', partition: 0 }) }
}
