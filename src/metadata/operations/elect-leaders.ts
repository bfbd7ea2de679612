// Plans elections of leaders that an admin asks for (ElectLeaders, KIP-183, KIP-460).
import { KafkaError } from '#storage/base/errors.ts'
import type { NewMetadataRecord } from '../../protocol/records/metadata-record.ts'
import { type MetadataImage, NO_LEADER, type PartitionImage, type TopicImage } from '../image.ts'
import type { OperationOf, PartitionResult } from '../provider.ts'
import { recordVersions } from '../record-versions.ts'
import { attempt, errorOf, isActive, type Plan, type PlanContext, recordsOf } from './plan.ts'

/** Records and results for elections; every refusal is its partition's own. */
export function planElectLeaders(
  { image }: PlanContext,
  { electionType, partitions }: OperationOf<'electLeaders'>,
): Plan<readonly PartitionResult[]> {
  const elect = electionType === 'preferred' ? electPreferred : electUnclean
  const parts = partitions.map(({ topic: name, partition: index }) =>
    attempt(() => {
      const topic = image.topic(name)
      const partition = topic?.partitions[index]
      if (!topic || !partition) {
        const detail = `Partition ${name}-${index} does not exist`
        throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', detail)
      }
      return { records: [elect(image, topic, partition)], value: undefined }
    }),
  )
  const result = partitions.map(({ topic, partition }, at) => {
    const part = parts[at]
    return { topic, partition, error: part === undefined ? undefined : errorOf(part) }
  })
  return { records: recordsOf(parts), result }
}

function electPreferred(
  image: MetadataImage,
  topic: TopicImage,
  partition: PartitionImage,
): NewMetadataRecord {
  const [preferred = NO_LEADER] = partition.replicas
  if (partition.leader === preferred) throw notNeeded(topic, partition)
  if (partition.isr.includes(preferred) && isActive(image, preferred)) {
    const data = { partitionId: partition.partition, topicId: topic.id, leader: preferred }
    return { type: 'PartitionChangeRecord', version: recordVersions(image).partition, data }
  }
  const detail = `Broker ${preferred}, the preferred leader of ${topic.name}-${partition.partition}, is not up and in sync`
  throw new KafkaError('PREFERRED_LEADER_NOT_AVAILABLE', detail)
}

/** Any replica that is up, the best informed first. It leads alone, with what it has: nobody has more to give. */
function electUnclean(
  image: MetadataImage,
  topic: TopicImage,
  partition: PartitionImage,
): NewMetadataRecord {
  if (partition.leader !== NO_LEADER) throw notNeeded(topic, partition)
  const { isr, elr, lastKnownElr, replicas } = partition
  const leader = [...isr, ...elr, ...lastKnownElr, ...replicas].find(
    (broker) => replicas.includes(broker) && isActive(image, broker),
  )
  if (leader === undefined) {
    const detail = `No replica of ${topic.name}-${partition.partition} is up`
    throw new KafkaError('ELIGIBLE_LEADERS_NOT_AVAILABLE', detail)
  }
  const data = {
    partitionId: partition.partition,
    topicId: topic.id,
    leader,
    isr: [leader],
    ...(elr.length > 0 && { eligibleLeaderReplicas: [] }),
    ...(lastKnownElr.length > 0 && { lastKnownElr: [] }),
    ...(partition.leaderRecoveryState !== 0 && { leaderRecoveryState: 0 }),
  }
  return { type: 'PartitionChangeRecord', version: recordVersions(image).partition, data }
}

function notNeeded({ name }: TopicImage, { partition, leader }: PartitionImage): KafkaError {
  return new KafkaError('ELECTION_NOT_NEEDED', `Broker ${leader} leads ${name}-${partition}`)
}
