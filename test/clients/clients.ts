// The clients that every run of the tests includes.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { kafkaAbsence, runJava } from '../kafka/kafka.ts'
import { runtimeCommand } from '../process/broker-process.ts'
import { type Client, parseAnswers, runProgram } from './client.ts'
import { runKcat } from './kcat-client.ts'
import { runKcatGroups } from './kcat-groups.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))

const java = (name: string, title: string, source: string): Client => ({
  name,
  title,
  absence: kafkaAbsence,
  run: async ({ bootstrap, base }) =>
    parseAnswers(await runJava(`${folder}java/${source}`, bootstrap, String(base))),
})

const underNode = (name: string, title: string, script: URL): Client => ({
  name,
  title,
  absence: () => (runtimeCommand('node') === undefined ? 'no Node 24 here' : undefined),
  run: async ({ bootstrap, base }) => {
    const [program = '', ...flags] = runtimeCommand('node') ?? []
    const argv = [...flags, fileURLToPath(script), bootstrap, String(base)]
    return parseAnswers(await runProgram(program, argv))
  },
})

const kcat = (name: string, title: string, run: Client['run']): Client => ({
  name,
  title,
  absence: () => (spawnSync('kcat', ['-V']).error ? 'no kcat on this machine' : undefined),
  run,
})

/** The clients that every run of the tests includes; what `NAME-groups` uses stands in the column of NAME. */
export const clients: readonly Client[] = [
  java('java', "Kafka's own clients for Java 4.3.1", 'JavaClient.java'),
  java('java-tools', "Kafka's own command-line tools 4.3.1", 'JavaTools.java'),
  kcat('kcat', 'kcat 1.7.1 on librdkafka 2.0.2', runKcat),
  underNode('kafkajs', 'kafkajs 2.2.4', new URL('./node/kafkajs-client.ts', import.meta.url)),
  underNode(
    'platformatic',
    '@platformatic/kafka 2.12.1',
    new URL('./node/platformatic-client.ts', import.meta.url),
  ),
  java('java-groups', "Kafka's own consumers for Java 4.3.1", 'JavaGroups.java'),
  java('java-tools-groups', "Kafka's own command-line tools 4.3.1", 'JavaGroupTools.java'),
  kcat('kcat-groups', 'kcat 1.7.1 on librdkafka 2.0.2', runKcatGroups),
  underNode(
    'kafkajs-groups',
    'kafkajs 2.2.4',
    new URL('./node/kafkajs-groups.ts', import.meta.url),
  ),
  underNode(
    'platformatic-groups',
    '@platformatic/kafka 2.12.1',
    new URL('./node/platformatic-groups.ts', import.meta.url),
  ),
]
