// Kafka's own clients for Java, all in one virtual machine that stays warm.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { kafkaClasspath } from '../../test/kafka/jars.ts'

const source = fileURLToPath(new URL('Load.java', import.meta.url))
const logging = fileURLToPath(new URL('../../test/kafka/log4j2.properties', import.meta.url))
const flags = ['-Xms768m', '-Xmx768m', '-XX:+UseParallelGC', '-XX:-UsePerfData']

/** What waits for the answer to a command. */
interface Waiting {
  readonly command: string
  readonly resolve: (output: string) => void
  readonly reject: (error: Error) => void
}

/** A Java program that carries out one command at a time. A command that hangs costs the program; the next starts another. */
export class JavaLoad {
  #child: ChildProcessWithoutNullStreams | undefined
  #waiting: Waiting | undefined
  #lines: string[] = []
  #rest = ''

  /** Carries out a command (see Load.java) and resolves with what it printed. */
  async run(words: readonly string[], deadlineMs: number): Promise<string> {
    if (this.#waiting) throw new Error(`${this.#waiting.command} is not done yet`)
    const child = this.#child ?? (await this.#start())
    const command = words[0] ?? ''
    const timer = setTimeout(() => {
      this.#child = undefined
      this.#fail(new Error(`${command} was not done after ${deadlineMs / 1000} s`))
      child.kill('SIGKILL')
    }, deadlineMs)
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting = { command, resolve, reject }
        child.stdin.write(`${words.join('\t')}\n`)
      })
    } finally {
      clearTimeout(timer)
    }
  }

  /** Ends the program. */
  async stop(): Promise<void> {
    const child = this.#child
    if (!child) return
    const gone = once(child, 'close')
    child.kill('SIGKILL')
    await gone
  }

  async #start(): Promise<ChildProcessWithoutNullStreams> {
    const settings = [`-Dlog4j2.configurationFile=${logging}`, '-Dkafka.level=ERROR']
    const argv = [...flags, ...settings, '-cp', kafkaClasspath(), source]
    const child = spawn('java', argv, { env: { ...process.env, NODE_OPTIONS: '' } })
    this.#child = child
    let errors = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (this.#child === child) this.#take(text)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-2000)
    })
    child.stdin.on('error', () => undefined)
    child.on('close', (code) => {
      // One that was given up may end while its successor is at work.
      if (this.#child !== child) return
      this.#child = undefined
      this.#fail(new Error(`The Java load ended with ${code}: ${errors}`))
    })
    await new Promise<string>((resolve, reject) => {
      this.#waiting = { command: 'start', resolve, reject }
    })
    return child
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line.startsWith('out ')) this.#lines.push(line.slice(4))
      else if (line.startsWith('failed '))
        this.#fail(new Error(`${this.#waiting?.command}: ${line.slice(7)}: ${this.#said()}`))
      else this.#end()
    }
  }

  #end(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve(this.#said())
  }

  #fail(error: Error): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    this.#lines = []
    waiting?.reject(error)
  }

  #said(): string {
    const text = this.#lines.join('\n')
    this.#lines = []
    return text
  }
}
