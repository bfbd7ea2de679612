// The process as the command line needs it: arguments, environment, signals, standard streams, and what it uses.
import { hostname } from 'node:os'
import process from 'node:process'

/** The process id. */
export function processId(): number {
  return process.pid
}

/** The name of this machine, as others may know it. */
export function hostName(): string {
  return hostname()
}

/** The runtime and its version, such as `bun 1.4.5`. */
export function runtimeName(): string {
  const { bun, deno, node } = process.versions as Record<string, string | undefined>
  if (bun !== undefined) return `bun ${bun}`
  return deno !== undefined ? `deno ${deno}` : `node ${node}`
}

/** The arguments after the program's name. */
export function commandArguments(): readonly string[] {
  return process.argv.slice(2)
}

/** The environment's variables. */
export function environmentVariables(): Readonly<Record<string, string | undefined>> {
  return process.env
}

/** Ends the process at once. */
export function exitProcess(code: number): never {
  process.exit(code)
}

/** Calls `action` when the process is asked to end (SIGINT, SIGTERM); returns how to stop listening. */
export function onTermination(action: (signal: 'SIGINT' | 'SIGTERM') => void): () => void {
  const interrupted = () => action('SIGINT')
  const terminated = () => action('SIGTERM')
  process.on('SIGINT', interrupted)
  process.on('SIGTERM', terminated)
  return () => {
    process.off('SIGINT', interrupted)
    process.off('SIGTERM', terminated)
  }
}

/** Writes text to standard output; resolves when the stream can take more. */
export function writeOutput(text: string | Uint8Array): Promise<void> {
  return write(process.stdout, text)
}

/** Writes text to standard error; resolves when the stream can take more. */
export function writeError(text: string): Promise<void> {
  return write(process.stderr, text)
}

/** Standard input, chunk by chunk, read only as fast as it is taken. */
export async function* readInput(): AsyncGenerator<Uint8Array> {
  for await (const chunk of process.stdin) {
    yield typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk
  }
}

/** Whether a standard stream is a terminal, so that colours and progress make sense on it. */
export function isTerminal(stream: 'input' | 'output' | 'error'): boolean {
  const streams = { input: process.stdin, output: process.stdout, error: process.stderr }
  return streams[stream].isTTY === true
}

/** Whether to colour what goes to a stream: on a terminal that has not said no (`NO_COLOR`, `TERM=dumb`). */
export function hasColours(stream: 'output' | 'error'): boolean {
  const { NO_COLOR, TERM } = process.env
  return isTerminal(stream) && (NO_COLOR ?? '') === '' && TERM !== 'dumb'
}

/** What the process uses now: resident bytes and CPU seconds, and when it began (seconds since the epoch). */
export function processUsage(): {
  residentBytes: number
  cpuSeconds: number
  startSeconds: number
} {
  const cpu = process.cpuUsage()
  return {
    residentBytes: process.memoryUsage.rss(),
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    startSeconds: performance.timeOrigin / 1000,
  }
}

/** Gives back what a start has left, memory and compiled code that nothing uses, once the loop is idle; where the runtime can be told to (Bun). */
export function releaseMemory(): void {
  const { Bun } = globalThis as { readonly Bun?: { shrink(): void } }
  Bun?.shrink()
}

function write(stream: NodeJS.WriteStream, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    // A closed pipe is told to the caller; without a listener Node would also end the process with a stack.
    if (stream.listenerCount('error') === 0) stream.on('error', () => undefined)
    stream.write(text, (error) => (error ? reject(error) : resolve()))
  })
}
