// What unfinished work left in a partition directory, tidied up before the log is opened.
import type { Files } from '../fs/files.ts'
import { parseSegmentFileName, type SegmentFileName } from '../segment/segment-files.ts'

interface Leftover extends SegmentFileName {
  readonly name: string
}

const LEFTOVER = /\.(deleted|cleaned|swap|cut)$/
const CUT_COPY = /^\d{20}\.log\.cut$/

/**
 * Finishes or undoes what a crash interrupted (Kafka's `LogLoader`): removes `.deleted` and `.cleaned` files, and lets
 * complete `.swap` files take the place of the segments whose range they cover. Replaced segments at the end of that range
 * of which nothing was left may stay: the next cleaning, which begins where this one did, does away with them.
 * `nextOffsetOf` reads a log's end. `names` are those of the directory. Returns what was interrupted, as sentences;
 * undefined when there was nothing to do, so that the names are what they were.
 */
export function tidyLeftovers(
  files: Files,
  directory: string,
  names: readonly string[],
  nextOffsetOf: (path: string) => number,
): string[] | undefined {
  if (!names.some((name) => LEFTOVER.test(name))) return undefined
  const found = listLeftovers(files, directory, names)
  const smallestCleaned = Math.min(...found.cleaned.map(({ offset }) => offset))
  const remove = ({ name }: { name: string }) => files.remove(`${directory}/${name}`)
  for (const file of found.deleted) remove(file)
  // The highest are renamed first: beside a `.cleaned`, swaps from it on are a part of a whole that never was.
  const halves = found.swap.filter(({ offset }) => offset >= smallestCleaned)
  for (const file of halves) remove(file)
  // A `.cleaned` must not go before them: alone they would look complete.
  if (halves.length > 0) files.syncDirectoryNow(directory)
  for (const file of found.cleaned) remove(file)
  const swap = found.swap.filter(({ offset }) => offset < smallestCleaned)
  const isUndone = found.cleaned.length + halves.length > 0
  const told = isUndone ? ['A compaction that was interrupted early was undone'] : []
  if (swap.length === 0) return told
  const logs = swap.filter(({ kind }) => kind === 'log')
  const from = Math.min(...logs.map(({ offset }) => offset))
  const to = Math.max(...logs.map(({ name }) => nextOffsetOf(`${directory}/${name}`)))
  const isReplaced = ({ offset }: Leftover) => offset === from || (offset > from && offset < to)
  for (const file of found.plain) if (isReplaced(file)) remove(file)
  // Were a segment that is replaced still there when its replacement is, both would hold its offsets.
  files.syncDirectoryNow(directory)
  for (const { name } of swap) {
    files.rename(`${directory}/${name}`, `${directory}/${name.slice(0, -'.swap'.length)}`)
  }
  files.syncDirectoryNow(directory)
  return [...told, `A compaction that was interrupted was finished, from offset ${from} on`]
}

function listLeftovers(files: Files, directory: string, names: readonly string[]) {
  const found: Record<'plain' | 'deleted' | 'cleaned' | 'swap', Leftover[]> = {
    plain: [],
    deleted: [],
    cleaned: [],
    swap: [],
  }
  for (const name of names) {
    if (CUT_COPY.test(name)) files.remove(`${directory}/${name}`)
    const file = parseSegmentFileName(name)
    if (file) found[file.suffix === '' ? 'plain' : file.suffix].push({ ...file, name })
  }
  return found
}
