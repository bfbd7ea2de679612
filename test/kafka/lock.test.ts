// The lock of a data directory against a real Kafka, in both directions.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createNodeFiles } from '#storage/fs/node-files.ts'
import { kafkaAbsence, type RealKafka, startKafka } from './kafka.ts'

const absence = kafkaAbsence() ?? (process.platform === 'linux' ? undefined : 'not Linux')
const suffix = absence === undefined ? '' : ` (skipped: ${absence})`
const scratch = mkdtempSync(join(tmpdir(), 'millrace-kafka-lock-'))
const running: RealKafka[] = []
afterAll(async () => {
  for (const kafka of running) await kafka.kill()
  rmSync(scratch, { recursive: true, force: true })
})

test.skipIf(absence)(
  `Files.lock() is refused while Kafka runs, and keeps Kafka out while it is held${suffix}`,
  async () => {
    const directory = join(scratch, 'data')
    const path = join(directory, '.lock')
    const files = createNodeFiles()

    const kafka = await startKafka(directory)
    running.push(kafka)
    expect(files.lock(path)).toBeUndefined()
    await kafka.kill()

    const lock = files.lock(path)
    expect(lock?.isSeenByKafka).toBe(true)
    await expect(startKafka(directory)).rejects.toThrow('Kafka did not start')
    // It shuts down in order, so that the reason stands further up in its log.
    expect(readFileSync(kafka.logFile, 'utf8')).toContain('Failed to acquire lock on file .lock')

    lock?.release()
    expect(readdirSync(directory).filter((name) => name.startsWith('.lock'))).toEqual(['.lock'])
    running.push(await startKafka(directory))
  },
  300_000,
)
