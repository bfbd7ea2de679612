// Makes the golden files anew with a real Kafka: see README.md beside it.
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dumpLogSegments, type RealKafka, readBack, runJava, startKafka } from '../kafka/kafka.ts'

const golden = fileURLToPath(new URL('.', import.meta.url))
const work = mkdtempSync(join(tmpdir(), 'millrace-golden-'))

const step = (kafka: RealKafka, ...args: string[]) =>
  runJava(join(golden, 'GoldenTopics.java'), kafka.bootstrap, ...args)

/** Copies a data directory into this folder, without the lock file, and what Kafka's dump tool says of it if it is clean. */
async function keep(data: string, name: string): Promise<void> {
  const to = join(golden, name)
  rmSync(to, { recursive: true, force: true })
  cpSync(data, to, { recursive: true, filter: (path) => !path.endsWith('/.lock') })
  if (name === 'killed') return
  const { problems, output } = await dumpLogSegments(data)
  // A time index entry whose batch compaction emptied names a timestamp that no batch holds any more.
  const real = problems.filter((problem) => !problem.startsWith('compacted-transactions-0/'))
  if (real.length > 0) throw new Error(`Kafka finds fault with its own files: ${real}`)
  const text = [...output].map(([file, lines]) => `# ${file}\n${lines.join('\n')}\n`)
  writeFileSync(join(golden, 'expected', name, 'dump.txt'), text.join('\n'))
}

/** Waits until the cleaner has written its checkpoint for both topics and left it alone for three seconds. */
async function cleaned(data: string): Promise<void> {
  const read = () => readFileSync(join(data, 'cleaner-offset-checkpoint'), 'utf8')
  for (let before = '', quiet = 0, tries = 0; quiet < 3; tries += 1) {
    if (tries > 60) throw new Error('The cleaner did not finish')
    await new Promise((resolve) => setTimeout(resolve, 1000))
    const now = read()
    quiet = now === before && now.match(/^compacted/gm)?.length === 2 ? quiet + 1 : 0
    before = now
  }
}

/** `datadir`: two lives, both ended by a clean stop. */
async function makeClean(): Promise<void> {
  const data = join(work, 'clean')
  const config = { 'log.cleaner.backoff.ms': '500', 'log.segment.delete.delay.ms': '100' }
  let kafka = await startKafka(data, { config })
  await step(kafka, 'fill')
  await kafka.stop()
  kafka = await startKafka(data, { config })
  await step(kafka, 'refill')
  await cleaned(data)
  await readBack(kafka, join(golden, 'expected/datadir'))
  await kafka.stop()
  await keep(data, 'datadir')
}

/** `killed`: kill -9 in the second life, and the last batch of plain-0 torn. `recovered`: after Kafka's next start and clean stop. */
async function makeKilled(): Promise<void> {
  const data = join(work, 'killed')
  // Preallocated index files of one page, so that the copy stays small.
  const config = { 'log.index.size.max.bytes': '4096' }
  let kafka = await startKafka(data, { config })
  await step(kafka, 'crash-fill')
  await kafka.stop()
  kafka = await startKafka(data, { config })
  await step(kafka, 'crash-refill')
  await kafka.kill()
  const active = globSync('plain-0/*.log', { cwd: data }).toSorted().at(-1) ?? ''
  const size = readFileSync(join(data, active)).length
  truncateSync(join(data, active), size - 20)
  await keep(data, 'killed')
  // The setting above does not reach the metadata log: its indexes are 10 MiB, nearly all zeros. Keep a page of each.
  for (const name of globSync('killed/__cluster_metadata-0/*index', { cwd: golden }))
    truncateSync(join(golden, name), name.endsWith('.timeindex') ? 4092 : 4096)
  kafka = await startKafka(data, { config })
  await readBack(kafka, join(golden, 'expected/recovered'))
  await kafka.stop()
  await keep(data, 'recovered')
}

mkdirSync(join(golden, 'expected/datadir'), { recursive: true })
mkdirSync(join(golden, 'expected/recovered'), { recursive: true })
await makeClean()
await makeKilled()
rmSync(work, { recursive: true, force: true })
