// The clients that every run of the tests includes.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { kafkaAbsence, runJava } from '../kafka/kafka.ts'
import { runtimeCommand } from '../process/broker-process.ts'
import { type Client, parseAnswers, runProgram } from './client.ts'
import { runKcat } from './kcat-client.ts'

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

/** The clients that every run of the tests includes. */
export const clients: readonly Client[] = [
  java('java', "Kafka's own clients for Java 4.3.1", 'JavaClient.java'),
  java('java-tools', "Kafka's own command-line tools 4.3.1", 'JavaTools.java'),
  {
    name: 'kcat',
    title: 'kcat 1.7.1 on librdkafka 2.0.2',
    absence: () => (spawnSync('kcat', ['-V']).error ? 'no kcat on this machine' : undefined),
    run: runKcat,
  },
  underNode('kafkajs', 'kafkajs 2.2.4', new URL('./node/kafkajs-client.ts', import.meta.url)),
  underNode(
    'platformatic',
    '@platformatic/kafka 2.12.1',
    new URL('./node/platformatic-client.ts', import.meta.url),
  ),
]
