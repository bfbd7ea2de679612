// kcat, which is librdkafka on the command line, goes through the scenarios.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Answers, Target } from './client.ts'

/** What a run of kcat came to. */
export interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs kcat on a broker, with what it is given on its standard input. */
export type Kcat = (argv: readonly string[], input?: string) => Promise<Run>

/** kcat for one broker. */
export function kcatOf(bootstrap: string): Kcat {
  return async (argv: readonly string[], input = ''): Promise<Run> => {
    const child = spawn('kcat', ['-b', bootstrap, '-X', 'message.timeout.ms=30000', ...argv])
    const output = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output.stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output.stderr += text
    })
    // A program that refuses to start closes its end of the pipe.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
    const [code] = await once(child, 'close')
    return { code, ...output }
  }
}

/** Topics are made by producing to them: kcat has no admin commands. */
export async function runKcat({ bootstrap, base }: Target): Promise<Answers> {
  const scratch = mkdtempSync(join(tmpdir(), 'millrace-clients-kcat-'))
  const kcat = kcatOf(bootstrap)
  try {
    return new Map(await scenarios(kcat, base, scratch))
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** Most of a run of kcat is waiting: the scenarios, which share no topics, go side by side. */
async function scenarios(kcat: Kcat, base: number, scratch: string): Promise<[string, unknown][]> {
  const shell = new Shell(kcat, base)
  const all: [string, () => Promise<unknown>][] = [
    ['unknown-topics', () => unknownTopics(shell)],
    ...codecs.map((codec): [string, () => Promise<unknown>] => [
      `produce-${codec}`,
      () => produceWith(shell, codec),
    ]),
    ['produce-acks', () => produceAcks(shell)],
    ['produce-idempotent', () => produceIdempotent(shell)],
    ['headers-and-nulls', () => headersAndNulls(shell)],
    ['large-records', () => largeRecords(shell, join(scratch, 'large'))],
    ['consume', () => consume(shell)],
  ]
  return await Promise.all(
    all.map(async ([name, run]): Promise<[string, unknown]> => [name, await run()]),
  )
}

/** The commands of kcat on partition 0, each with what it came to. */
class Shell {
  readonly kcat: Kcat
  readonly base: number

  constructor(kcat: Kcat, base: number) {
    this.kcat = kcat
    this.base = base
  }

  async produce(topic: string, input: string, ...flags: string[]) {
    return failure(await this.kcat(['-P', '-t', topic, '-p', '0', ...flags], input))
  }

  async consume(topic: string, ...flags: string[]) {
    const run = await this.kcat(['-C', '-J', '-e', '-q', '-t', topic, '-p', '0', ...flags])
    return { ...failure(run), records: lines(run.stdout).map((line) => shown(line, this.base)) }
  }

  async offset(topic: string, at: number) {
    const run = await this.kcat(['-Q', '-t', `${topic}:0:${at}`])
    return { ...failure(run), answer: run.stdout.trim() }
  }
}

async function unknownTopics(shell: Shell) {
  const made = await shell.produce('kcat-made', 'first\n')
  const { stdout, ...run } = await shell.kcat(['-L', '-J', '-t', 'kcat-made'])
  const { originating_broker, brokers, topics, controllerid } = JSON.parse(stdout)
  return {
    made,
    partition: failure(await shell.kcat(['-P', '-t', 'kcat-made', '-p', '7'], 'x\n')),
    badName: await shell.produce('no spaces', 'first\n'),
    metadata: {
      ...failure({ ...run, stdout }),
      originating: originating_broker.id,
      brokers: brokers.map(({ id }: { id: number }) => id),
      controllerid,
      topics,
    },
  }
}

async function produceWith(shell: Shell, codec: string) {
  const input = Array.from({ length: 40 }, (_, at) => `${codec} ${at} ${'z'.repeat(at)}\n`)
  const topic = `kcat-${codec}`
  return {
    sent: await shell.produce(topic, input.join(''), '-z', codec),
    read: await shell.consume(topic),
  }
}

async function produceAcks(shell: Shell) {
  const answers: Record<string, unknown> = {}
  for (const acks of ['0', '1', 'all'])
    answers[acks] = await shell.produce(`kcat-acks-${acks}`, `${acks}\n`, '-X', `acks=${acks}`)
  return { answers, read: await shell.consume('kcat-acks-all') }
}

async function produceIdempotent(shell: Shell) {
  const flag = ['-X', 'enable.idempotence=true']
  return {
    first: await shell.produce('kcat-idempotent', 'a\nb\nc\n', ...flag),
    second: await shell.produce('kcat-idempotent', 'd\n', ...flag),
    read: await shell.consume('kcat-idempotent'),
  }
}

async function headersAndNulls(shell: Shell) {
  const topic = 'kcat-headers'
  const flags = ['-H', 'a=1', '-H', 'a=2', '-H', 'größe=ü', '-H', 'null']
  const sent = [
    await shell.produce(topic, 'key:value\n', '-K', ':', ...flags),
    await shell.produce(topic, 'no key\n'),
    await shell.produce(topic, 'no value:\n:\n', '-K', ':', '-Z'),
  ]
  return { sent, read: await shell.consume(topic) }
}

async function largeRecords(shell: Shell, file: string) {
  const topic = 'kcat-large'
  const sent: unknown[] = []
  for (const size of [1_000_000, 1_040_000, 2_000_000]) {
    writeFileSync(file, 'x'.repeat(size))
    const limit = ['-X', 'message.max.bytes=5000000']
    sent.push(failure(await shell.kcat(['-P', '-t', topic, '-p', '0', ...limit, file])))
  }
  const limits = ['-X', 'fetch.message.max.bytes=1000', '-X', 'fetch.max.bytes=5000001']
  return { sent, read: await shell.consume(topic), small: await shell.consume(topic, ...limits) }
}

async function consume(shell: Shell) {
  const topic = 'kcat-consumed'
  const rounds = [0, 1, 2].map((round) => Array.from({ length: 20 }, (_, at) => round * 20 + at))
  for (const round of rounds)
    await shell.produce(topic, round.map((number) => `record ${number}\n`).join(''))
  const from: Record<string, unknown> = {}
  for (const place of ['beginning', '33', '-5', 'end', '60', '61'])
    from[place] = await shell.consume(topic, '-o', place, '-X', 'auto.offset.reset=error')
  const committed = ['-X', 'isolation.level=read_committed', '-X', 'check.crcs=true']
  // Records have the time of this run, which is between the last two.
  const times = [-2, -1, shell.base - 1000, shell.base + 3_600_000]
  const offsets: unknown[] = []
  for (const time of times) offsets.push(await shell.offset(topic, time))
  return { from, committed: await shell.consume(topic, ...committed), offsets }
}

function failure({ code, stderr }: Run): { code: number | null; stderr: string } {
  // A Kafka that has just begun has no producer ids yet, and kcat asks again.
  const passing = /Reached end|\|GETPID\|.*: retrying$/
  const known = stderr
    .split('\n')
    .filter((line) => line.startsWith('%') && !passing.test(line))
    .map((line) => line.replace(/\|\d+\.\d+\|/, '|').replace(/after \d+ms/, 'after a while'))
  return { code, stderr: known.join('\n') }
}

/** The lines of a text. */
export const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')

function shown(line: string, base: number): unknown {
  const { offset, ts, tstype, key, payload, headers } = JSON.parse(line)
  const isNow = Math.abs(ts - base) < 3_000_000
  const value = payload?.length > 60 ? `${payload.length} characters` : payload
  return { offset, time: isNow ? 'now' : ts, tstype, key, value, headers }
}
