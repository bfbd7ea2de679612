// Flips bits in the files of a stopped broker, one at a time, and looks at what a start makes of them.
import { KafkaError } from '#storage/base/errors.ts'
import { LOG_START_CHECKPOINT } from '#storage/state/offset-checkpoint.ts'
import {
  leftDirectory,
  REFUSED,
  ROOT,
  type Running,
  type Shown,
  show,
  startOn,
  stop,
} from './left-engine.ts'
import type { SimulatedDisk } from './simulated-disk.ts'

/** Everything under the root, by path. */
function filesOf(disk: SimulatedDisk, directory = ROOT): string[] {
  return disk.list(directory).flatMap(({ name, isDirectory }) => {
    const path = `${directory}/${name}`
    return isDirectory ? filesOf(disk, path) : [path]
  })
}

const kindOf = (path: string) => path.slice(path.lastIndexOf('/') + 1).replace(/^[\d-]+\./, '')

/** Some places in a file, and a bit of each. */
function placesOf(size: number, count: number): { position: number; bit: number }[] {
  const places = new Set<number>()
  for (let n = 0; n < count; n++) places.add(Math.floor((n * (size - 1)) / Math.max(1, count - 1)))
  return Array.from(places, (position) => ({ position, bit: position % 8 }))
}

/** The first 16 bytes of a batch but its length: no checksum covers them, in Kafka neither. */
function isUncovered(path: string, disk: SimulatedDisk, position: number): boolean {
  if (!path.endsWith('.log')) return false
  const bytes = disk.readFile(path) ?? new Uint8Array()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at + 12 <= bytes.length; at += 12 + view.getInt32(at + 8)) {
    const field = position - at
    if (field >= 0 && field < 16) return field < 8 || field >= 12
  }
  return false
}

/** What of `shown` is neither as it was nor refused. */
function differences(shown: Shown, expected: Shown): string[] {
  const found: string[] = []
  for (const name of ['orders', 'committed', 'keys'] as const) {
    const known = new Map(expected[name].map((text) => [text.split(':')[0], text]))
    for (const text of shown[name]) {
      const [offset] = text.split(':')
      if (!text.endsWith(REFUSED) && known.get(offset) !== text) found.push(`${name} shows ${text}`)
    }
    const here = new Set(shown[name].map((text) => text.split(':')[0]))
    for (const [offset, text] of known) if (!here.has(offset)) found.push(`${name} lacks ${text}`)
  }
  const [start, end, keysEnd] = expected.bounds
  if (shown.bounds[0] !== start) found.push(`log start ${shown.bounds[0]}`)
  if ((shown.bounds[1] ?? 0) < (end ?? 0)) found.push(`log end ${shown.bounds[1]}`)
  if ((shown.bounds[2] ?? 0) < (keysEnd ?? 0)) found.push(`log end of keys ${shown.bounds[2]}`)
  for (const [index, offset] of shown.times.entries()) {
    if (!Number.isNaN(offset) && offset !== expected.times[index])
      found.push(`time ${index}: ${offset}`)
  }
  if (shown.topics !== expected.topics) found.push(`topics ${shown.topics}`)
  if (!shown.isDuplicateKnown) found.push('a duplicate is appended')
  return found
}

const isLoss = (wrong: string) => / lacks /.test(wrong)

type Outcome = 'refused' | 'told' | 'harmless'

/** Undefined when a partition is not served at all. */
async function showOrRefuse(running: Running): Promise<Shown | undefined> {
  try {
    return await show(running)
  } catch (error) {
    if (error instanceof KafkaError) return undefined
    throw error
  }
}

/** Starts on a directory with a flipped bit. Returns what became of it, and what is wrong that nobody says. */
async function outcomeOf(disk: SimulatedDisk, expected: Shown) {
  let running: Running
  try {
    running = await startOn(disk)
  } catch (error) {
    const isKnown = error instanceof Error && /^(KafkaError|StorageFault)$/.test(error.name)
    return { outcome: 'refused' as Outcome, wrong: isKnown ? [] : [String(error)] }
  }
  const shown = await showOrRefuse(running)
  const { findings, notes } = running.engine.recovery
  const isTold = notes.length > 0 || findings.some(({ messages }) => messages.length > 0)
  const wrong = shown ? differences(shown, expected) : ['A partition is not served']
  await stop(running)
  if (!isTold) return { outcome: 'harmless' as Outcome, wrong }
  // Whatever is said of it, no record that is sound goes missing, and none is another one.
  return { outcome: 'told' as Outcome, wrong: shown ? wrong.filter(isLoss) : [] }
}

/** Flips bits in every file; returns what went wrong, and how each kind of file fared. */
export async function sweepBitFlips(isClean: boolean, perFile: number) {
  const left = await leftDirectory(isClean)
  const expected = await (async () => {
    const running = await startOn(left.afterKill())
    const shown = await show(running)
    await stop(running)
    return shown
  })()
  const outcomes = new Map<string, Record<Outcome, number>>()
  const wrong: string[] = []
  for (const path of filesOf(left)) {
    const size = left.status(path)?.size ?? 0
    if (size === 0) continue
    const counts = outcomes.get(kindOf(path)) ?? { refused: 0, told: 0, harmless: 0 }
    outcomes.set(kindOf(path), counts)
    // What it says hides records, and no log can tell that it is wrong.
    const places = path.endsWith(`/${LOG_START_CHECKPOINT}`) ? size : perFile
    for (const { position, bit } of placesOf(size, places)) {
      if (isUncovered(path, left, position)) continue
      const disk = left.afterKill()
      disk.flipBit(path, position, bit)
      const result = await outcomeOf(disk, expected)
      counts[result.outcome]++
      for (const one of result.wrong) wrong.push(`${path} @ ${position} bit ${bit}: ${one}`)
    }
  }
  return { outcomes, wrong, expected }
}
