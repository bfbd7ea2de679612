// Processes that hold members of a group, or producers: started, killed, paused and started again.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { kafkaClasspath } from '../kafka/jars.ts'
import { kafkaAbsence } from '../kafka/kafka.ts'
import { runtimeCommand } from '../process/broker-process.ts'
import type { Plan } from './members/plan.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))

const underNode = (script: URL): string[] => [
  ...(runtimeCommand('node') ?? []),
  fileURLToPath(script),
]

/** The command line of each kind of program; the plan is put behind it. */
const commands = {
  kafkajs: () => underNode(new URL('./members/kafkajs-member.ts', import.meta.url)),
  platformatic: () => underNode(new URL('./members/platformatic-member.ts', import.meta.url)),
  kcat: () => underNode(new URL('./members/kcat-member.ts', import.meta.url)),
  java: () => {
    const flags = ['-Xmx160m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
    const logging = `-Dlog4j2.configurationFile=${join(folder, '../kafka/log4j2.properties')}`
    const source = join(folder, 'members/JavaMember.java')
    return ['java', ...flags, logging, '-Dkafka.level=WARN', '-cp', kafkaClasspath(), source]
  },
  http: () => underNode(new URL('./members/http-member.ts', import.meta.url)),
  reader: () => underNode(new URL('./members/reader.ts', import.meta.url)),
  onlooker: () => underNode(new URL('./members/onlooker.ts', import.meta.url)),
  'create-topic': () => underNode(new URL('./members/create-topic.ts', import.meta.url)),
}
/** What can be started. */
export type ProgramKind = keyof typeof commands

/** Why members of a kind can't be had here; undefined when they can. */
export function absenceOf(kind: ProgramKind): string | undefined {
  if (kind === 'java') return kafkaAbsence()
  if (runtimeCommand('node') === undefined) return 'no Node 24 here'
  if (kind === 'kcat' && spawnSync('kcat', ['-V']).error) return 'no kcat on this machine'
  return undefined
}

/** What a program holds, by names that stay the same when it is started again. */
export interface ProgramParts {
  readonly members?: readonly string[]
  readonly producers?: readonly string[]
  /** True for static members: each name is an instance id too. */
  readonly isStatic?: boolean
}

/** One program; it runs at most once at a time. */
export class Program {
  readonly kind: ProgramKind
  readonly #parts: ProgramParts
  /** Which protocol its members speak in their next life. */
  protocol: Plan['protocol']
  readonly #plan: Omit<Plan, 'members' | 'producers'>
  #child: ChildProcess | undefined
  #life = 0

  constructor(kind: ProgramKind, parts: ProgramParts, plan: Omit<Plan, 'members' | 'producers'>) {
    this.kind = kind
    this.#parts = parts
    this.#plan = plan
    this.protocol = plan.protocol
  }

  /** The names under which its members write their histories in this life. */
  get members(): string[] {
    return (this.#parts.members ?? []).map((name) => `${name}.${this.#life}`)
  }

  /** Starts it, under new names. */
  start(): void {
    this.#life += 1
    const { members = [], producers = [], isStatic = false } = this.#parts
    const named = (name: string) => `${name}.${this.#life}`
    const plan: Plan = {
      ...this.#plan,
      protocol: this.protocol,
      members: members.map((name) => ({
        name: named(name),
        ...(isStatic ? { instance: name } : {}),
      })),
      producers: producers.map(named),
    }
    const [program = '', ...argv] = commands[this.kind]()
    const log = openSync(join(this.#plan.directory, `${this.kind}.out`), 'a')
    const env = { ...process.env, NODE_OPTIONS: '' }
    const stdio = ['ignore', log, log] as const
    this.#child = spawn(program, [...argv, JSON.stringify(plan)], { env, stdio: [...stdio] })
    closeSync(log)
  }

  /** kill -9; resolves when it is gone. */
  kill(): Promise<void> {
    // The one that looks after kcat is asked to, and kills it.
    return this.kind === 'kcat' ? this.terminate() : this.#end('SIGKILL')
  }

  /** Asks it to end, and kills it when it has not after 15 s. */
  async terminate(): Promise<void> {
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), 15_000)
    await this.#end('SIGTERM')
    clearTimeout(timer)
  }

  /** Its exit code, when it ends by itself. */
  async ended(): Promise<number | null> {
    const child = this.#child
    if (child === undefined) return null
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    return child.exitCode
  }

  /** It stands still, and its connections stay open. Not kcat, which is a process of its own. */
  pause(): void {
    this.#child?.kill('SIGSTOP')
  }

  /** It goes on. */
  resume(): void {
    this.#child?.kill('SIGCONT')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }
}
