// A real broker process for tests: spawned on a chosen runtime, spoken to over HTTP, killed as the test likes.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The runtimes that the broker runs on. */
export const runtimes = ['bun', 'deno', 'node'] as const
/** One of them. */
export type RuntimeName = (typeof runtimes)[number]

const flags = { bun: ['--bun'], deno: ['run', '-A', '--quiet'], node: [] }

/** The command line that runs a script on a runtime; undefined when that runtime is not installed here. */
export function runtimeCommand(name: RuntimeName): string[] | undefined {
  const pinned = join(root, `tools/${name}/node_modules/.bin/${name}`)
  const self = process.versions['bun'] ? 'bun' : 'Deno' in globalThis ? 'deno' : 'node'
  const program = existsSync(pinned) ? pinned : self === name ? process.execPath : undefined
  return program === undefined ? undefined : [program, ...flags[name]]
}

/** How a broker is started. */
export interface BrokerProcessOptions {
  readonly runtime?: RuntimeName
  readonly data: string
  /** `--set key=value` for each. */
  readonly settings?: Readonly<Record<string, string>>
  /** A command put in front, such as strace and its flags. */
  readonly wrapper?: readonly string[]
}

/** Where a record went. */
export interface Place {
  readonly partition: number
  readonly offset: number
}

/** A record as the broker shows it. */
export interface ReadRecord extends Place {
  readonly value: unknown
}

/** A running broker process. */
export class BrokerProcess {
  /** The broker's own pid, from its start line; with a wrapper not the child's. */
  readonly pid: number
  readonly url: string
  readonly #child: ChildProcess
  readonly #output: { text: string }

  /** Use `startBrokerProcess`. */
  constructor(
    child: ChildProcess,
    output: { text: string },
    started: { pid: number; url: string },
  ) {
    this.#child = child
    this.#output = output
    this.pid = started.pid
    this.url = started.url
  }

  /** What it printed on both streams. */
  get output(): string {
    return this.#output.text
  }

  /** Produces values as JSON; rejects unless every record was accepted. */
  async produce(
    topic: string,
    values: readonly unknown[],
    acks: 'all' | '1' = 'all',
  ): Promise<Place[]> {
    const answer = await fetch(`${this.url}/topics/${topic}?acks=${acks}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ records: values.map((value) => ({ value })) }),
    })
    const text = await answer.text()
    const { offsets = [] } = JSON.parse(text)
    const places: Place[] = offsets.map(({ partition, offset }: Place) => ({ partition, offset }))
    if (!answer.ok || places.some(({ offset }) => typeof offset !== 'number'))
      throw new Error(`Produce to ${topic} was answered with ${answer.status} ${text}`)
    return places
  }

  /** Everything in a partition, from the first offset to the high watermark. */
  async readAll(topic: string, partition: number): Promise<ReadRecord[]> {
    const records: ReadRecord[] = []
    for (let offset = 'earliest'; ; ) {
      const answer = await this.get(
        `/topics/${topic}/partitions/${partition}/records?offset=${offset}`,
      )
      const page: ReadRecord[] = await answer.json()
      records.push(...page)
      const next = answer.headers.get('millrace-next-offset') ?? ''
      if (next === answer.headers.get('millrace-high-watermark')) return records
      if (page.length === 0) throw new Error(`Nothing at ${offset} of ${topic}-${partition}`)
      offset = next
    }
  }

  /** GET, rejecting unless the answer is a 200. */
  async get(path: string): Promise<Response> {
    const answer = await fetch(`${this.url}${path}`)
    if (answer.ok) return answer
    throw new Error(`GET ${path} was answered with ${answer.status} ${await answer.text()}`)
  }

  /** SIGTERM; resolves with the exit code when the process is gone. */
  terminate(): Promise<number | null> {
    return this.#end('SIGTERM')
  }

  /** kill -9; resolves when the process is gone. */
  kill(): Promise<number | null> {
    return this.#end('SIGKILL')
  }

  /** Resolves with the exit code when the broker has ended by itself. */
  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null) await once(this.#child, 'close')
    return this.#child.exitCode
  }

  /** SIGTERM to the program that was started, such as npm; resolves when the broker behind it is gone too. */
  async terminateLauncher(): Promise<void> {
    // The broker holds the pipes of the launcher, which close when the last of them ends.
    const gone = once(this.#child, 'close')
    this.#child.kill('SIGTERM')
    await gone
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null)
      return this.#child.exitCode
    const gone = once(this.#child, 'close')
    process.kill(this.pid, signal)
    const [code] = await gone
    return code
  }
}

/** What became of a broker that did not start. */
export class BrokerDidNotStart extends Error {
  readonly exitCode: number | null
  readonly output: string

  constructor(exitCode: number | null, output: string) {
    super(`The broker ended with ${exitCode} before it was ready: ${output}`)
    this.exitCode = exitCode
    this.output = output
  }
}

/** Starts a broker on a free port of loopback; resolves when its start line has come, rejects with `BrokerDidNotStart`. */
export async function startBrokerProcess(options: BrokerProcessOptions): Promise<BrokerProcess> {
  const { runtime = 'bun', data, settings = {}, wrapper = [] } = options
  const command = runtimeCommand(runtime)
  if (command === undefined) throw new Error(`There is no ${runtime} here`)
  const sets = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`])
  return await launchBroker([
    ...wrapper,
    ...command,
    'main.ts',
    'serve',
    ...serveFlags(data),
    ...sets,
  ])
}

/** Where a test's broker has its data and listens. */
export const serveFlags = (data: string): string[] => [
  ...['--data', data, '--http', '127.0.0.1:0', '--kafka', '127.0.0.1:0'],
]

/** What npm told the tests would tell a launcher that npm called it: `deno task` leaves it as it finds it. */
function withoutNpm(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !name.toLowerCase().startsWith('npm_')),
  )
}

/** Starts a broker by any command line; as `startBrokerProcess`. */
export async function launchBroker(command: readonly string[]): Promise<BrokerProcess> {
  const [program = '', ...argv] = command
  const child = spawn(program, argv, {
    cwd: root,
    env: withoutNpm(process.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { text: '' }
  return await new Promise((resolve, reject) => {
    const take = (text: string) => {
      output.text += text
      const pid = /\bpid (\d+)/.exec(output.text)?.[1]
      const url = /https?:\/\/127\.0\.0\.1:\d+/.exec(output.text)?.[0]
      if (pid === undefined || url === undefined) return
      resolve(new BrokerProcess(child, output, { pid: Number(pid), url }))
    }
    child.stdout.setEncoding('utf8').on('data', take)
    child.stderr.setEncoding('utf8').on('data', take)
    child.on('error', reject)
    child.on('close', (code) => reject(new BrokerDidNotStart(code, output.text)))
  })
}
