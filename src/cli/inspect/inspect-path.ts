// Inspects what a path names: a file, a partition's directory, or a whole data directory. Reads only.
import { parsePartitionName } from '#storage/base/topic-partition.ts'
import type { Files } from '#storage/fs/files.ts'
import { parseSegmentFileName } from '#storage/segment/segment-files.ts'
import { META_PROPERTIES } from '#storage/state/meta-properties.ts'
import { CommandError } from '../command-error.ts'
import type { InspectEvent, InspectOptions } from './inspect-event.ts'
import { inspectFile, isInspectable } from './inspect-file.ts'

/** Everything that a path holds, in the order of names. Throws CommandError when there is nothing to inspect. */
export function* inspectPath(
  files: Files,
  path: string,
  options: InspectOptions,
): Generator<InspectEvent> {
  const trimmed = path.length > 1 ? path.replace(/\/+$/, '') : path
  const status = files.status(trimmed)
  if (status === undefined) {
    throw new CommandError(`There is nothing at ${path}`, {
      fix: 'Give the path of a data directory, a partition in it, or a file',
    })
  }
  if (status.isDirectory) yield* inspectDirectory(files, trimmed, options)
  else yield* inspectOneFile(files, trimmed, options)
}

function* inspectOneFile(
  files: Files,
  path: string,
  options: InspectOptions,
): Generator<InspectEvent> {
  const slash = path.lastIndexOf('/')
  const directory = slash < 0 ? '.' : path.slice(0, slash) || '/'
  const name = path.slice(slash + 1)
  const isActive = activeSegment(files, directory) === name
  const events = inspectFile(files, { directory, name, isActive }, { ...options, batches: true })
  if (events !== undefined) return yield* events
  throw new CommandError(`${name} is none of the files of a data directory`, {
    fix: 'Files of a segment keep their names, such as 00000000000000000000.log',
  })
}

function* inspectDirectory(
  files: Files,
  directory: string,
  options: InspectOptions,
): Generator<InspectEvent> {
  const entries = files.list(directory).toSorted((left, right) => (left.name < right.name ? -1 : 1))
  const own = entries.filter(({ name, isDirectory }) => !isDirectory && isInspectable(name))
  const partitions = entries.filter(({ name, isDirectory }) => isDirectory && isPartition(name))
  if (own.length === 0 && partitions.length === 0) {
    throw new CommandError(`${directory} holds none of a broker's files`, {
      fix: 'Give the path of a data directory or of a partition in it',
    })
  }
  const isRoot = partitions.length > 0 || own.some(({ name }) => name === META_PROPERTIES)
  yield { kind: 'file', path: directory, type: isRoot ? 'data directory' : 'partition' }
  const active = activeSegment(files, directory)
  for (const { name } of own) {
    const isActive = name === active
    yield* inspectFile(files, { directory, name, isActive }, options) ?? []
  }
  for (const { name } of partitions) {
    yield* inspectDirectoryIfFilled(files, `${directory}/${name}`, options)
  }
}

/** Partitions of a running broker may be gone or still empty when they are looked at. */
function* inspectDirectoryIfFilled(
  files: Files,
  directory: string,
  options: InspectOptions,
): Generator<InspectEvent> {
  const isFilled =
    files.status(directory) !== undefined &&
    files.list(directory).some(({ name }) => isInspectable(name))
  if (isFilled) yield* inspectDirectory(files, directory, options)
  else yield { kind: 'file', path: directory, type: 'empty partition' }
}

/** `topic-0`, also while it waits to be deleted (`topic-0.<uuid>-delete`) or was set aside (`-stray`). */
function isPartition(name: string): boolean {
  return (
    parsePartitionName(name.replace(/\.[\da-zA-Z_-]+-(delete|stray|future)$/, '')) !== undefined
  )
}

/** The segment that a broker appends to. */
function activeSegment(files: Files, directory: string): string | undefined {
  return files
    .list(directory)
    .map(({ name }) => name)
    .filter((name) => {
      const parsed = parseSegmentFileName(name)
      return parsed?.kind === 'log' && parsed.suffix === ''
    })
    .toSorted()
    .at(-1)
}
