// The two brokers that every client talks to: the real Kafka and ours, each behind a recorder, set up alike.
import { join } from 'node:path'
import { startKafka } from '../kafka/kafka.ts'
import { type BrokerProcess, startBrokerProcess } from '../process/broker-process.ts'
import { openRecorder, type Recorder } from './recorder.ts'

/** One of the two. */
export interface Peer {
  readonly name: 'kafka' | 'millrace'
  /** Where clients connect: the recorder, which the broker also advertises. */
  readonly bootstrap: string
  readonly recorder: Recorder
  readonly pid: number
  /** The HTTP door; undefined for Kafka. */
  readonly url?: string
  stop(): Promise<void>
}

/** What both are told, beside the addresses. */
const settings = {
  'auto.create.topics.enable': 'true',
  'num.partitions': '1',
  // What startKafka() sets, set alike, so that their descriptions agree.
  'node.id': '1',
  'process.roles': 'broker,controller',
  'metadata.max.idle.interval.ms': '0',
  ...Object.fromEntries(
    [
      'offsets.topic.replication.factor',
      'offsets.topic.num.partitions',
      'transaction.state.log.replication.factor',
      'transaction.state.log.min.isr',
      'transaction.state.log.num.partitions',
      'share.coordinator.state.topic.replication.factor',
      'share.coordinator.state.topic.min.isr',
      'share.coordinator.state.topic.num.partitions',
    ].map((name) => [name, '1']),
  ),
  'group.initial.rebalance.delay.ms': '0',
  // Nobody waits for what only time brings.
  'group.min.session.timeout.ms': '100',
  'group.consumer.min.session.timeout.ms': '100',
  'group.consumer.min.heartbeat.interval.ms': '50',
  'group.consumer.heartbeat.interval.ms': '200',
  'group.consumer.assignment.interval.ms': '0',
  // The files of deleted topics are none of a client's business: keep them out of the log directories' sizes.
  'log.segment.delete.delay.ms': '1000',
}

/** Starts a real Kafka in a new directory under `folder`. */
export async function startKafkaPeer(folder: string): Promise<Peer> {
  const recorder = await openRecorder()
  const kafka = await startKafka(join(folder, 'kafka'), {
    advertisedPort: recorder.port,
    config: settings,
  })
  recorder.passTo(Number(kafka.bootstrap.split(':')[1]))
  return {
    name: 'kafka',
    bootstrap: `127.0.0.1:${recorder.port}`,
    recorder,
    pid: kafka.pid,
    stop: async () => {
      recorder.close()
      await kafka.kill()
    },
  }
}

/** Starts our broker in a new directory under `folder`. */
export async function startOwnPeer(folder: string): Promise<Peer> {
  const recorder = await openRecorder()
  const port = recorder.port
  const broker = await startBrokerProcess({
    data: join(folder, 'millrace'),
    settings: { ...settings, 'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}` },
  })
  recorder.passTo(kafkaPort(broker))
  return {
    name: 'millrace',
    bootstrap: `127.0.0.1:${port}`,
    recorder,
    pid: broker.pid,
    url: broker.url,
    stop: async () => {
      recorder.close()
      await broker.kill()
    },
  }
}

/** The port of a broker's Kafka door, from its start line. */
export function kafkaPort(broker: BrokerProcess): number {
  const port = /Kafka on [^\s,]*:(\d+)/.exec(broker.output)?.[1]
  if (port === undefined) throw new Error(`No Kafka address in the start line: ${broker.output}`)
  return Number(port)
}
