// Plans moves of partitions to other brokers (AlterPartitionReassignments, KIP-455), as far as one broker can make them true.
import { KafkaError } from '#storage/base/errors.ts'
import type { NewMetadataRecord } from '../../protocol/records/metadata-record.ts'
import type { MetadataImage, PartitionImage, TopicImage } from '../image.ts'
import type { OperationOf, PartitionResult, Reassignment } from '../provider.ts'
import { recordVersions } from '../record-versions.ts'
import {
  attempt,
  checkAssignment,
  errorOf,
  type Plan,
  type PlanContext,
  recordsOf,
} from './plan.ts'

/**
 * Records and results; every refusal is its partition's own. A partition can be given to brokers that are in sync with
 * it, at once: that is how replicas elsewhere are given up. Nobody copies it to a broker that does not have it.
 */
export function planReassignPartitions(
  context: PlanContext,
  { partitions, mayChangeReplicationFactor }: OperationOf<'reassignPartitions'>,
): Plan<readonly PartitionResult[]> {
  const { image } = context
  const parts = partitions.map((request) =>
    attempt(() => {
      const { topic, partition } = find(image, request)
      const target = request.replicas ?? afterCancel(partition)
      checkAssignment(context, target, target.length)
      if (!mayChangeReplicationFactor && target.length !== partition.replicas.length) {
        const detail = `${partition.replicas.length} replicas would become ${target.length}`
        throw new KafkaError('INVALID_REPLICATION_FACTOR', detail)
      }
      return { records: moved(image, topic, partition, target), value: undefined }
    }),
  )
  const result = partitions.map(({ topic, partition }, at) => {
    const part = parts[at]
    return { topic, partition, error: part === undefined ? undefined : errorOf(part) }
  })
  return { records: recordsOf(parts), result }
}

function find(
  image: MetadataImage,
  { topic: name, partition: index }: Reassignment,
): { topic: TopicImage; partition: PartitionImage } {
  const topic = image.topic(name)
  const partition = topic?.partitions[index]
  if (topic && partition) return { topic, partition }
  throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `Partition ${name}-${index} does not exist`)
}

/** The replicas when a reassignment that a cluster left unfinished is taken back. */
function afterCancel({ replicas, addingReplicas, removingReplicas }: PartitionImage) {
  if (addingReplicas.length > 0 || removingReplicas.length > 0) {
    return replicas.filter((broker) => !addingReplicas.includes(broker))
  }
  throw new KafkaError('NO_REASSIGNMENT_IN_PROGRESS', 'No reassignment is in progress')
}

function moved(
  image: MetadataImage,
  topic: TopicImage,
  partition: PartitionImage,
  target: readonly number[],
): NewMetadataRecord[] {
  const { replicas, isr, leader, directories, addingReplicas, removingReplicas } = partition
  const isUnderWay = addingReplicas.length > 0 || removingReplicas.length > 0
  if (!isUnderWay && target.join() === replicas.join()) return []
  const stranger = target.find((broker) => !isr.includes(broker))
  if (stranger !== undefined) {
    const detail = `Broker ${stranger} is not in sync with ${topic.name}-${partition.partition}, and nothing here copies it there`
    throw new KafkaError('INVALID_REPLICA_ASSIGNMENT', detail)
  }
  const { partition: version } = recordVersions(image)
  const data = {
    partitionId: partition.partition,
    topicId: topic.id,
    replicas: target,
    isr: isr.filter((broker) => target.includes(broker)),
    ...(version >= 1 && {
      directories: target.map((broker) => directories[replicas.indexOf(broker)] as string),
    }),
    ...(!target.includes(leader) && { leader: target[0] as number }),
    ...(isUnderWay && { addingReplicas: [], removingReplicas: [] }),
  }
  return [{ type: 'PartitionChangeRecord', version, data }]
}
