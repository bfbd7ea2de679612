// The topics that belong to the coordinators: their names, and how they are made when a client asks for them.
import type { BrokerConfig } from '../config/broker-config.ts'
import type { NewTopic } from './broker.ts'
import { OFFSETS, SHARES, TRANSACTIONS } from './internal-topic-names.ts'

/** What is made when a topic is created without anybody saying how: with Kafka's own settings where it is internal. */
export function automaticTopic(name: string, config: BrokerConfig): NewTopic {
  if (name === OFFSETS) {
    return internalTopic(name, config, 'offsets.topic', {
      'cleanup.policy': 'compact',
      'compression.type': 'producer',
    })
  }
  if (name === TRANSACTIONS) {
    return internalTopic(name, config, 'transaction.state.log', {
      'cleanup.policy': 'compact',
      'compression.type': 'uncompressed',
      'min.insync.replicas': config.text('transaction.state.log.min.isr'),
      'unclean.leader.election.enable': 'false',
    })
  }
  if (name === SHARES) {
    return internalTopic(name, config, 'share.coordinator.state.topic', {
      'cleanup.policy': 'delete',
      'compression.type': 'producer',
      'min.insync.replicas': config.text('share.coordinator.state.topic.min.isr'),
      'retention.ms': '-1',
    })
  }
  return { name }
}

function internalTopic(
  name: string,
  config: BrokerConfig,
  prefix: string,
  configs: Readonly<Record<string, string | null>>,
): NewTopic {
  return {
    name,
    partitionCount: config.number(`${prefix}.num.partitions`),
    replicationFactor: config.number(`${prefix}.replication.factor`),
    configs: { ...configs, 'segment.bytes': config.text(`${prefix}.segment.bytes`) },
  }
}
