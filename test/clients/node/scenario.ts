// What the clients that run under Node share: scenarios print a line of JSON each; values are shown in one way.

/** When records' times are counted from: milliseconds, a minute ago. */
export const base = Number(process.argv[3])
/** Where the broker is. */
export const bootstrap = process.argv[2] ?? ''

/** Runs a scenario, and prints what it answered or threw. */
export async function scenario(name: string, run: () => Promise<unknown>): Promise<void> {
  const start = performance.now()
  const answer = await outcome(run)
  const line = { scenario: name, ms: Math.round(performance.now() - start), answer }
  await new Promise<void>((resolve) => {
    process.stdout.write(`${JSON.stringify(line, shown)}\n`, () => resolve())
  })
}

/** What `run` resolves with, or the error that it rejects with. */
export async function outcome(run: () => Promise<unknown>): Promise<unknown> {
  try {
    return (await run()) ?? null
  } catch (error) {
    return describe(error)
  }
}

/** Runs one after the other, and gives each outcome its name. */
export async function outcomes(
  runs: Readonly<Record<string, () => Promise<unknown>>>,
): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {}
  for (const [name, run] of Object.entries(runs)) found[name] = await outcome(run)
  return found
}

/** A timestamp as text: counted from the base, or `now` for what a clock said. */
export function time(timestamp: unknown): string {
  const delta = Number(timestamp) - base
  if (delta > 10_000 && delta < 3_000_000) return 'now'
  return Math.abs(delta) < 8_000_000 ? `base${delta < 0 ? '' : '+'}${delta}` : String(timestamp)
}

/**
 * What `ask` is answered once it is: Kafka makes a topic before its broker leads it, later on a busy machine, and a client
 * that repeats a produce request in part writes twice.
 */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (const end = performance.now() + 30_000; ; ) {
    try {
      return await ask()
    } catch (error) {
      if (performance.now() > end) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Bytes as text, long ones by their length and a sum. */
export function text(bytes: unknown): string | null {
  if (bytes === null || bytes === undefined) return null
  const value = Buffer.from(bytes as Uint8Array).toString('utf8')
  if (value.length <= 60) return value
  let sum = 0
  for (const character of value) sum = (sum * 31 + character.charCodeAt(0)) | 0
  return `${value.length} characters, sum ${sum}`
}

function describe(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error)
  const { name, message, type, code, apiCode, apiId, errors, cause } = error as Error & {
    type?: unknown
    code?: unknown
    apiCode?: unknown
    apiId?: unknown
    errors?: unknown[]
    cause?: unknown
  }
  return {
    error: name,
    message,
    type,
    code,
    apiCode,
    apiId,
    errors: errors?.map(describe),
    cause: cause === undefined ? undefined : describe(cause),
  }
}

function shown(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Map) return [...value]
  return value
}
