// A cleaning in a thread of its own, on real files: it does what the same cleaning does on the loop.
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { startThread } from '#storage/base/background-thread.ts'
import { createNodeFiles } from '#storage/fs/node-files.ts'
import { CleaningAborted } from '#storage/log/log-cleaning.ts'
import { DEFAULT_CLEANER_SETTINGS, LogCleaner } from '#storage/upkeep/log-cleaner.ts'
import { Throttle } from '#storage/upkeep/throttle.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { environmentOn, openLog } from '../log/log-fixture.ts'
import {
  COMPACTED,
  type CompactedLog,
  clean,
  contentOf,
  endTransaction,
  put,
  roll,
} from './cleaner-fixture.ts'

const root = mkdtempSync(`${tmpdir()}/millrace-cleaning-`)
afterAll(() => rmSync(root, { recursive: true, force: true }))

const IN_THREAD = { startThread, threadFromBytes: 0 }

/** Transactions, producers, compressed batches, tombstones, segments that become one: the same each time. */
async function filled(name: string): Promise<Omit<CompactedLog, 'disk'> & { directory: string }> {
  const directory = join(root, name)
  mkdirSync(directory)
  const clock = new VirtualClock()
  const environment = environmentOn(createNodeFiles(), clock)
  const { log } = await openLog(environment.files, { environment, directory, config: COMPACTED })
  const compacted = { log, clock, environment, directory }
  for (let round = 0; round < 5; round++) {
    put(compacted, [`a=${round}`, 'b=1', `own${round}=1`, `tomb${round}`])
    put(compacted, [`c=${'x'.repeat(2_000)}`, `d=${round}`], { compression: 'lz4' })
    const producer = { producerId: 7, producerEpoch: 0, baseSequence: round, isTransactional: true }
    put(compacted, [`t=${round}`], producer)
    endTransaction(compacted, 7, round % 2 === 0)
    roll(compacted)
  }
  return compacted
}

/** Names and bytes of the segments' files. */
function filesOf(directory: string): [string, string][] {
  const names = readdirSync(directory).filter((name) =>
    /\.(log|index|timeindex|txnindex)/.test(name),
  )
  return names.toSorted().map((name) => [name, readFileSync(join(directory, name)).toString('hex')])
}

test('A cleaning in a thread leaves the same files as one on the loop', async () => {
  const here = await filled('here')
  const there = await filled('there')
  const before = contentOf(here.log).length
  const expected = await clean(here)
  const done = await clean(there, undefined, IN_THREAD)
  expect(done).toEqual(expected)
  expect(contentOf(there.log)).toEqual(contentOf(here.log))
  expect(contentOf(there.log).length).toBeLessThan(before)
  for (const { log } of [here, there]) await log.close()
  const files = filesOf(there.directory)
  expect(files.length).toBeGreaterThan(5)
  expect(files).toEqual(filesOf(here.directory))
})

test('A cleaning in a thread tells what it could not read, and leaves the log as it was', async () => {
  const compacted = await filled('damaged')
  const { log, directory } = compacted
  await log.flush()
  const segment = log.segments[1]
  const bytes = readFileSync(segment?.path ?? '')
  bytes[100] = (bytes[100] ?? 0) ^ 1
  writeFileSync(segment?.path ?? '', bytes)
  const before = filesOf(directory)
  await expect(clean(compacted, undefined, IN_THREAD)).rejects.toMatchObject({
    name: 'KafkaError',
    code: 'CORRUPT_MESSAGE',
  })
  expect(filesOf(directory)).toEqual(before)
  log.closeNow()
})

test('A cleaning in a thread fails with the error of the system', async () => {
  const compacted = await filled('blocked')
  mkdirSync(join(compacted.directory, '00000000000000000000.log.cleaned'))
  await expect(clean(compacted, undefined, IN_THREAD)).rejects.toMatchObject({ code: 'EISDIR' })
  compacted.log.closeNow()
})

/** The files in a directory that this process holds open, removed ones included. */
function openFilesIn(directory: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`)
      return path.startsWith(directory) ? [path] : []
    } catch {
      return []
    }
  })
}

test.skipIf(process.platform !== 'linux')(
  'A cleaning in a thread leaves no file open, so that what was replaced takes no room',
  async () => {
    const compacted = await filled('opened')
    await clean(compacted, undefined, IN_THREAD)
    compacted.log.closeNow()
    compacted.environment.pool.close()
    expect(openFilesIn(compacted.directory)).toEqual([])
  },
)

test('A cleaning in a thread ends when the log is closed', async () => {
  const compacted = await filled('closed')
  const { log } = compacted
  const starting: typeof startThread = async (script) => {
    const thread = await startThread(script)
    return {
      ...thread,
      ask(request) {
        const answer = thread.ask(request)
        if ((request as { map?: unknown }).map) log.closeNow()
        return answer
      },
    }
  }
  // At a byte a second it would not end by itself.
  const throttle = new Throttle(compacted.clock, () => 1)
  const cleaning = clean(compacted, undefined, { ...IN_THREAD, startThread: starting, throttle })
  await expect(cleaning).rejects.toThrow(CleaningAborted)
})

test.each([
  { megabytes: 17, threads: 1 },
  { megabytes: 1, threads: 0 },
])('LogCleaner compacts $megabytes MB in $threads threads', async ({ megabytes, threads }) => {
  const compacted = await filled(`sized-${megabytes}`)
  const { log, clock } = compacted
  for (let written = 0; written < megabytes; written++)
    put(compacted, [`a=${'x'.repeat(1_000_000)}`])
  roll(compacted)
  await log.flush()
  await clock.run(0)
  const before = log.sizeInBytes
  const scripts: string[] = []
  const cleaner = new LogCleaner({
    environment: {
      ...compacted.environment,
      startThread(script) {
        scripts.push(script.pathname)
        return startThread(script)
      },
    },
    logs: () => [log],
    checkpoint: { get: () => undefined, set: async () => {}, saveRecoveryPoint: async () => {} },
    settings: () => DEFAULT_CLEANER_SETTINGS,
    onProblem(error) {
      throw error
    },
  })
  expect(await cleaner.cleanNow()).toHaveLength(1)
  expect(scripts).toHaveLength(threads)
  for (const script of scripts) expect(script).toMatch(/\/storage\/upkeep\/cleaning-thread\.ts$/)
  expect(log.sizeInBytes).toBeLessThan(before - (megabytes - 1) * 900_000)
  await log.close()
})
