// How many partitions a topic needs, and the throughputs it is computed from.
import { usageError } from './command-error.ts'

/** Throughputs in bytes a second. */
export interface Throughputs {
  readonly target: number
  /** Of one producer into one partition. */
  readonly producer: number
  /** Of one consumer from one partition. */
  readonly consumer: number
}

/** The larger of target ÷ producer and target ÷ consumer, each rounded up; at least one. */
export function partitionsFor({ target, producer, consumer }: Throughputs): number {
  // Decimal fractions are not exact: 0.3 / 0.1 must be 3.
  const whole = (quotient: number): number => {
    const nearest = Math.round(quotient)
    return Math.abs(quotient - nearest) <= quotient * 1e-12 ? nearest : Math.ceil(quotient)
  }
  return Math.max(1, whole(target / producer), whole(target / consumer))
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  kib: 1024,
  m: 1e6,
  mb: 1e6,
  mib: 1024 ** 2,
  g: 1e9,
  gb: 1e9,
  gib: 1024 ** 3,
  t: 1e12,
  tb: 1e12,
  tib: 1024 ** 4,
}

/** Bytes a second from `50MB/s`, `800k`, `1.5 GiB` or a plain number. Throws CommandError. */
export function parseThroughput(text: string): number {
  const match = /^(\d+(?:\.\d+)?|\.\d+)\s*([a-z]*)(?:\/s(?:ec)?)?$/i.exec(text.trim())
  const unit = UNITS[(match?.[2] ?? '?').toLowerCase()]
  const value = unit === undefined ? 0 : Number(match?.[1]) * unit
  if (value > 0 && Number.isFinite(value)) return value
  throw usageError(`${text} is not a throughput such as 50MB/s, 800k or 1.5GiB`)
}
