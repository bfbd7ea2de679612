// What a client is to the tests: why it may be missing here, and how its scenarios are run.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

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
