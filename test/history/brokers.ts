// The brokers that groups are tried on: each keeps its address and its directory when it is killed and started again.
import { join } from 'node:path'
import { freePort, type RealKafka, startKafka } from '../kafka/kafka.ts'
import {
  type BrokerProcess,
  launchBroker,
  type RuntimeName,
  runtimeCommand,
} from '../process/broker-process.ts'

/** A broker that can be killed and started again. */
export interface MortalBroker {
  readonly name: string
  readonly bootstrap: string
  /** `http://host:port`, where it has such a door. */
  readonly http?: string | undefined
  start(): Promise<void>
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>
  /** What its last process printed. */
  output(): string
}

/** Short times, so that a minute holds many rebalances. */
const settings = {
  'auto.create.topics.enable': 'false',
  'offsets.topic.num.partitions': '4',
  'offsets.topic.replication.factor': '1',
  'group.initial.rebalance.delay.ms': '500',
  'group.min.session.timeout.ms': '1000',
  'group.consumer.min.session.timeout.ms': '1000',
  'group.consumer.session.timeout.ms': '4000',
  'group.consumer.min.heartbeat.interval.ms': '100',
  'group.consumer.heartbeat.interval.ms': '500',
}

/** A real Kafka. */
export async function mortalKafka(folder: string): Promise<MortalBroker> {
  const port = await freePort()
  let kafka: RealKafka | undefined
  return {
    name: 'Kafka',
    bootstrap: `127.0.0.1:${port}`,
    start: async () => {
      kafka = await startKafka(join(folder, 'kafka'), { port, config: settings })
    },
    kill: async () => await kafka?.kill(),
    output: () => kafka?.logFile ?? '',
  }
}

/** Ours. */
export async function mortalMillrace(
  folder: string,
  runtime: RuntimeName = 'bun',
): Promise<MortalBroker> {
  const port = await freePort()
  const bootstrap = `127.0.0.1:${port}`
  const http = `127.0.0.1:${await freePort()}`
  const sets = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`])
  let broker: BrokerProcess | undefined
  return {
    name: `Millrace on ${runtime}`,
    bootstrap,
    http: `http://${http}`,
    start: async () => {
      const addresses = ['--http', http, '--kafka', bootstrap]
      const command = [...(runtimeCommand(runtime) ?? []), 'main.ts', 'serve', ...addresses]
      broker = await launchBroker([...command, '--data', join(folder, 'millrace'), ...sets])
    },
    kill: async () => {
      await broker?.kill()
    },
    output: () => broker?.output ?? '',
  }
}
