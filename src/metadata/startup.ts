// The records with which a local provider takes over a metadata log (RULES 15, 16): pure, so that they can be compared.
import type { Uuid } from '#storage/base/uuid.ts'
import type { InferInput } from '../protocol/codec/message.ts'
import type { RegisterBrokerRecord } from '../protocol/records/00-register-broker.ts'
import {
  CONTROL_RECORD_TYPES,
  encodeControlKey,
  KRaftVersionRecord,
  LeaderChangeMessage,
  VotersRecord,
} from '../protocol/records/control-records.ts'
import type { NewMetadataRecord } from '../protocol/records/metadata-record.ts'
import { CONFIG_RESOURCE, type MetadataImage, NO_LEADER, type PartitionImage } from './image.ts'
import { DEFAULT_FEATURES, recordVersions, SUPPORTED_FEATURES } from './record-versions.ts'
import type { NewStoredRecord } from './store.ts'

const CONTROLLER_LISTENER = 'CONTROLLER'
const KRAFT_VERSION = 1
const FENCED = 1
const UNFENCED = -1
const RECOVERED = 0

/** An address that brokers are told of. */
export interface BrokerEndpoint {
  /** The listener's name. */
  readonly name: string
  readonly host: string
  readonly port: number
  /** 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL. */
  readonly securityProtocol: number
}

/** Who this node is. */
export interface NodeIdentity {
  readonly nodeId: number
  /** The `directory.id` of the directory that holds the metadata log. */
  readonly metadataDirectoryId: Uuid
  /** The `directory.id` of every log directory. */
  readonly directoryIds: readonly Uuid[]
  readonly endpoints: readonly BrokerEndpoint[]
  /** Where a Kafka that takes the directory over would look for its controller. */
  readonly controllerEndpoint: { readonly host: string; readonly port: number }
  readonly rack: string | null
}

/** The first record of an epoch: this node leads. */
export function leaderChange(image: MetadataImage, nodeId: number): NewStoredRecord {
  const ids = image.state.quorum.voters?.map((voter) => voter.voterId) ?? [nodeId]
  const voters = ids.map((voterId) => ({ voterId }))
  const grantingVoters = [{ voterId: nodeId }]
  const value = LeaderChangeMessage.encode(
    { version: 0, leaderId: nodeId, voters, grantingVoters },
    0,
  )
  return { key: encodeControlKey(CONTROL_RECORD_TYPES.LEADER_CHANGE), value }
}

/** The control records that a new log has besides: kraft.version 1, and this node as the only voter. */
export function quorumRecords(
  node: Pick<NodeIdentity, 'nodeId' | 'metadataDirectoryId' | 'controllerEndpoint'>,
): readonly NewStoredRecord[] {
  const voters: InferInput<typeof VotersRecord>['voters'] = [
    {
      voterId: node.nodeId,
      voterDirectoryId: node.metadataDirectoryId,
      endpoints: [{ name: CONTROLLER_LISTENER, ...node.controllerEndpoint }],
      kRaftVersionFeature: { minSupportedVersion: 0, maxSupportedVersion: KRAFT_VERSION },
    },
  ]
  return [
    {
      key: encodeControlKey(CONTROL_RECORD_TYPES.KRAFT_VERSION),
      value: KRaftVersionRecord.encode({ version: 0, kRaftVersion: KRAFT_VERSION }, 0),
    },
    {
      key: encodeControlKey(CONTROL_RECORD_TYPES.KRAFT_VOTERS),
      value: VotersRecord.encode({ version: 0, voters }, 0),
    },
  ]
}

/** From this level of metadata.version on (3.6-IV2) records may be bracketed as one transaction. */
const TRANSACTIONS_SINCE = 14

/**
 * The first data of a new log: finalised features, those of Kafka 4.3 unless the directory was formatted with others
 * (`given`: what its bootstrap.checkpoint says, credentials too), and the config that eligible leader replicas rest on.
 */
export function bootstrapRecords(
  given: readonly NewMetadataRecord[] = defaultFeatures(),
): readonly NewMetadataRecord[] {
  const level = (feature: string) =>
    given.reduce(
      (found, { type, data }) =>
        type === 'FeatureLevelRecord' && data.name === feature ? data.featureLevel : found,
      0,
    )
  const config = { resourceType: CONFIG_RESOURCE.BROKER, resourceName: '' }
  const minimum: NewMetadataRecord = {
    type: 'ConfigRecord',
    version: 0,
    data: { ...config, name: 'min.insync.replicas', value: '1' },
  }
  const records = level('eligible.leader.replicas.version') > 0 ? [...given, minimum] : given
  if (level('metadata.version') < TRANSACTIONS_SINCE) return records
  return [
    { type: 'BeginTransactionRecord', version: 0, data: { name: 'Bootstrap records' } },
    ...records,
    { type: 'EndTransactionRecord', version: 0, data: {} },
  ]
}

function defaultFeatures(): NewMetadataRecord[] {
  return DEFAULT_FEATURES.map(([name, featureLevel]) => ({
    type: 'FeatureLevelRecord',
    version: 0,
    data: { name, featureLevel },
  }))
}

/** This node's registration, fenced at first as Kafka's. `brokerEpoch` is the offset of this very record. */
export function registration(
  node: NodeIdentity,
  image: MetadataImage,
  { brokerEpoch, incarnationId }: { brokerEpoch: number; incarnationId: Uuid },
): NewMetadataRecord {
  const version = recordVersions(image).registerBroker
  const data: RegisterBrokerRecord = {
    brokerId: node.nodeId,
    isMigratingZkBroker: false,
    incarnationId,
    brokerEpoch,
    endPoints: node.endpoints,
    features: [...SUPPORTED_FEATURES].map(([name, [min, max]]) => ({
      name,
      minSupportedVersion: min,
      maxSupportedVersion: max,
    })),
    rack: node.rack,
    fenced: true,
    inControlledShutdown: false,
    logDirs: version >= 3 ? node.directoryIds : [],
    cordonedLogDirs: null,
  }
  return { type: 'RegisterBrokerRecord', version, data }
}

/** The registered broker is up. */
export function unfence(brokerId: number, brokerEpoch: number): NewMetadataRecord {
  const data = { brokerId, brokerEpoch, fenced: UNFENCED }
  return { type: 'BrokerRegistrationChangeRecord', version: 0, data }
}

/** The registered broker has stopped cleanly. Leaders and epochs stay as they are (RULES 5). */
export function fence(brokerId: number, brokerEpoch: number): NewMetadataRecord {
  const data = { brokerId, brokerEpoch, fenced: FENCED, inControlledShutdown: 1 }
  return { type: 'BrokerRegistrationChangeRecord', version: 1, data }
}

/**
 * Elections of this node for partitions that have it as their only replica and no leader: a clean Kafka stop leaves the
 * leader −1, the ISR empty and the broker in the ELR. Only a replica in the ISR, the ELR or the last known ELR is elected.
 */
export function* elections(image: MetadataImage, nodeId: number): Generator<NewMetadataRecord> {
  const { partition: version } = recordVersions(image)
  for (const topic of image.topics()) {
    for (const partition of topic.partitions) {
      if (!isElectable(partition, nodeId)) continue
      const { isr, elr, lastKnownElr, leaderRecoveryState } = partition
      const data = {
        partitionId: partition.partition,
        topicId: topic.id,
        leader: nodeId,
        ...(!(isr.length === 1 && isr[0] === nodeId) && { isr: [nodeId] }),
        ...(elr.length > 0 && { eligibleLeaderReplicas: [] }),
        ...(lastKnownElr.length > 0 && { lastKnownElr: [] }),
        // The only replica has all there is: nothing is left to recover.
        ...(leaderRecoveryState !== RECOVERED && { leaderRecoveryState: RECOVERED }),
      }
      yield { type: 'PartitionChangeRecord', version, data }
    }
  }
}

/** A change that names the leader, though it stays the same: the leader epoch rises by one. */
export function epochBump(
  image: MetadataImage,
  { topicId, partition }: { readonly topicId: Uuid; readonly partition: PartitionImage },
): NewMetadataRecord {
  const data = { partitionId: partition.partition, topicId, leader: partition.leader }
  return { type: 'PartitionChangeRecord', version: recordVersions(image).partition, data }
}

function isElectable(partition: PartitionImage, nodeId: number): boolean {
  const { leader, replicas, isr, elr, lastKnownElr } = partition
  const isAlone = replicas.length === 1 && replicas[0] === nodeId
  return leader === NO_LEADER && isAlone && [...isr, ...elr, ...lastKnownElr].includes(nodeId)
}
