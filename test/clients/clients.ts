// The clients: what each is, why it may be missing here, and how its scenarios are run.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { kafkaAbsence, runJava } from '../kafka/kafka.ts'
import { runtimeCommand } from '../process/broker-process.ts'
import { runKcat } from './kcat-client.ts'

/** What a scenario answered, by its name. */
export type Answers = ReadonlyMap<string, unknown>

/** Where a client is run: the address, and the time, in milliseconds, that records' times are counted from. */
export interface Target {
  readonly bootstrap: string
  readonly base: number
}

/** A client program. */
export interface Client {
  readonly name: string
  /** For people: whose it is, and which version. */
  readonly title: string
  /** Why it can't be run here; undefined when it can. */
  absence(): string | undefined
  run(target: Target): Promise<Answers>
}

const folder = fileURLToPath(new URL('.', import.meta.url))

const java = (name: string, title: string, source: string): Client => ({
  name,
  title,
  absence: kafkaAbsence,
  run: async ({ bootstrap, base }) =>
    parseAnswers(await runJava(`${folder}java/${source}`, bootstrap, String(base))),
})

const underNode = (name: string, title: string): Client => ({
  name,
  title,
  absence: () => (runtimeCommand('node') === undefined ? 'no Node 24 here' : undefined),
  run: async ({ bootstrap, base }) => {
    const [program = '', ...flags] = runtimeCommand('node') ?? []
    const argv = [...flags, `${folder}node/${name}-client.ts`, bootstrap, String(base)]
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
  underNode('kafkajs', 'kafkajs 2.2.4'),
  underNode('platformatic', '@platformatic/kafka 2.12.1'),
]

/** Runs a program to its end; resolves with its standard output, rejects when it fails. */
export async function runProgram(
  program: string,
  argv: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const child = spawn(program, argv, {
    cwd: options.cwd,
    env: { ...process.env, NODE_OPTIONS: '', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  const [code] = await once(child, 'close')
  if (code !== 0)
    throw new Error(`${program} ended with ${code}: ${output.stdout.slice(-2000)}${output.stderr}`)
  return output.stdout
}

/** Reads a line of JSON per scenario; other lines are logging. */
export function parseAnswers(stdout: string): Answers {
  const answers = new Map<string, unknown>()
  for (const line of stdout.split('\n')) {
    if (!line.startsWith('{')) continue
    const { scenario, answer }: { scenario: string; answer: unknown } = JSON.parse(line)
    answers.set(scenario, answer)
  }
  return answers
}
