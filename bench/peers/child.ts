// Programs that a bench runs: each has a deadline, and is ended by its process id when that passes.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { basename } from 'node:path'

/**
 * Runs a program and resolves with its standard output; rejects when it fails or takes longer than `deadlineMs`. What a
 * `isSilent` one prints goes to /dev/null, so that reading it costs nobody anything.
 */
export async function runProgram(
  program: string,
  argv: readonly string[],
  { deadlineMs, isSilent = false }: { deadlineMs: number; isSilent?: boolean },
): Promise<string> {
  const child = spawn(program, argv, { stdio: ['ignore', isSilent ? 'ignore' : 'pipe', 'pipe'] })
  const name = basename(program)
  const output = { stdout: '', stderr: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr = (output.stderr + text).slice(-2000)
  })
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    child.kill('SIGKILL')
  }, deadlineMs)
  try {
    const [code] = await once(child, 'close')
    if (isLate) throw new Error(`${name} was not done after ${deadlineMs / 1000} s`)
    if (code !== 0) throw new Error(`${name} ended with ${code}: ${output.stderr.trim()}`)
    return output.stdout
  } finally {
    clearTimeout(timer)
  }
}

/** Whether a program is on this machine. */
export function isInstalled(program: string, ...argv: readonly string[]): boolean {
  const { error, status } = spawnSync(program, argv)
  return error === undefined && status === 0
}

/** Rejects when a promise takes longer; what it stands for goes on. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} was not done after ${ms / 1000} s`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
