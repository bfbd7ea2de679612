// kcat, which is librdkafka on the command line, goes through the scenarios.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Answers, Target } from './clients.ts'

/** What a run of kcat came to. */
interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Topics are made by producing to them: kcat has no admin commands. */
export async function runKcat({ bootstrap, base }: Target): Promise<Answers> {
  const scratch = mkdtempSync(join(tmpdir(), 'millrace-clients-kcat-'))
  const kcat = async (argv: readonly string[], input = ''): Promise<Run> => {
    const child = spawn('kcat', ['-b', bootstrap, '-X', 'message.timeout.ms=2500', ...argv])
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
  try {
    return new Map(await scenarios(kcat, base, scratch))
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

type Kcat = (argv: readonly string[], input?: string) => Promise<Run>

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

async function scenarios(
  kcat: Kcat,
  base: number,
  scratch: string,
): Promise<[string, unknown][]> {
  const found: [string, unknown][] = []
  const scenario = async (name: string, run: () => Promise<unknown>) =>
    found.push([name, await run()])
  const produce = async (topic: string, input: string, ...flags: string[]) =>
    failure(await kcat(['-P', '-t', topic, '-p', '0', ...flags], input))
  const consume = async (topic: string, ...flags: string[]) => {
    const run = await kcat(['-C', '-J', '-e', '-q', '-t', topic, '-p', '0', ...flags])
    return { ...failure(run), records: lines(run.stdout).map((line) => shown(line, base)) }
  }
  const offsets = async (topic: string, at: string | number) => {
    const run = await kcat(['-Q', '-t', `${topic}:0:${at}`])
    return { ...failure(run), answer: run.stdout.trim() }
  }

  await scenario('unknown-topics', async () => ({
    made: await produce('kcat-made', 'first\n'),
    partition: failure(await kcat(['-P', '-t', 'kcat-made', '-p', '7'], 'x\n')),
    badName: await produce('no spaces', 'first\n'),
  }))
  await scenario('cluster', async () => {
    const { stdout, ...run } = await kcat(['-L', '-J', '-t', 'kcat-made'])
    const { originating_broker, brokers, topics, controllerid } = JSON.parse(stdout)
    return {
      ...failure({ ...run, stdout }),
      originating: originating_broker.id,
      brokers: brokers.map(({ id }: { id: number }) => id),
      controllerid,
      topics,
    }
  })
  for (const codec of codecs) {
    await scenario(`produce-${codec}`, async () => {
      const input = Array.from({ length: 40 }, (_, at) => `${codec} ${at} ${'z'.repeat(at)}\n`)
      const topic = `kcat-${codec}`
      return { ...(await produce(topic, input.join(''), '-z', codec)), ...(await consume(topic)) }
    })
  }
  await scenario('produce-acks', async () => {
    const answers: Record<string, unknown> = {}
    for (const acks of ['0', '1', 'all'])
      answers[acks] = await produce('kcat-acks', `acks ${acks}\n`, '-X', `acks=${acks}`)
    return { answers, read: await consume('kcat-acks') }
  })
  await scenario('produce-idempotent', async () => {
    const flag = ['-X', 'enable.idempotence=true']
    const first = await produce('kcat-idempotent', 'a\nb\nc\n', ...flag)
    const second = await produce('kcat-idempotent', 'd\n', ...flag)
    return { first, second, read: await consume('kcat-idempotent') }
  })
  await scenario('headers-and-nulls', async () => {
    const topic = 'kcat-headers'
    const flags = ['-H', 'a=1', '-H', 'a=2', '-H', 'größe=ü', '-H', 'null']
    const sent = [
      await produce(topic, 'key:value\n', '-K', ':', ...flags),
      await produce(topic, 'no key\n'),
      await produce(topic, 'no value:\n:\n', '-K', ':', '-Z'),
    ]
    return { sent, read: await consume(topic) }
  })
  await scenario('large-records', async () => {
    const file = join(scratch, 'large')
    const send = async (size: number) => {
      writeFileSync(file, 'x'.repeat(size))
      return failure(
        await kcat(
          ['-P', '-t', 'kcat-large', '-p', '0', '-X', 'message.max.bytes=5000000', file],
          '',
        ),
      )
    }
    const sent = [await send(1_000_000), await send(1_040_000), await send(2_000_000)]
    const limits = ['-X', 'fetch.message.max.bytes=1000', '-X', 'fetch.max.bytes=5000001']
    return { sent, read: await consume('kcat-large'), small: await consume('kcat-large', ...limits) }
  })
  await scenario('consume', async () => {
    const topic = 'kcat-consumed'
    for (let round = 0; round < 3; round++)
      await produce(
        topic,
        Array.from({ length: 20 }, (_, at) => `record ${round * 20 + at}\n`).join(''),
      )
    const found: Record<string, unknown> = {}
    for (const from of ['beginning', '33', '-5', 'end', '60', '61'])
      found[from] = await consume(topic, '-o', from, '-X', 'auto.offset.reset=error')
    const committed = ['-X', 'isolation.level=read_committed', '-X', 'check.crcs=true']
    return { found, committed: await consume(topic, ...committed) }
  })
  await scenario('offsets-by-time', async () => {
    const answers: Record<string, unknown> = {}
    const places = [-2, -1, base - 1000, base + 3_600_000]
    for (const at of places) answers[String(at - base)] = await offsets('kcat-consumed', at)
    answers['missing'] = await offsets('kcat-missing', -1)
    // The clock of this run is between the two times: the answers are the first offset and none.
    return Object.values(answers)
  })
  return found
}

function failure({ code, stderr }: Run): { code: number | null; stderr: string } {
  const known = stderr
    .split('\n')
    .filter((line) => line.startsWith('%') && !line.includes('Reached end'))
    .map((line) => line.replace(/\|\d+\.\d+\|/, '|').replace(/after \d+ms/, 'after a while'))
  return { code, stderr: known.join('\n') }
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')

function shown(line: string, base: number): unknown {
  const { offset, ts, tstype, key, payload, headers } = JSON.parse(line)
  const isNow = Math.abs(ts - base) < 3_000_000
  const value = payload?.length > 60 ? `${payload.length} characters` : payload
  return { offset, time: isNow ? 'now' : ts, tstype, key, value, headers }
}
