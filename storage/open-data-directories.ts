// Locks and identifies all log directories of a broker, before anything else looks into them.
import { KafkaError, StorageFault, systemCode } from './base/errors.ts'
import { partitionName } from './base/topic-partition.ts'
import { randomUuid, type Uuid } from './base/uuid.ts'
import type { Random } from './base/world.ts'
import { DataDirectory } from './data-directory.ts'
import { METADATA_PARTITION } from './directory-names.ts'
import { storageError } from './fs/failures.ts'
import type { Files } from './fs/files.ts'
import type { MetaProperties } from './state/meta-properties.ts'

/** Which directories, and who they must belong to. */
export interface DirectoriesRequest {
  readonly files: Files
  readonly random: Random
  /** At least one; relative and absolute spellings of one directory are the caller's to avoid. */
  readonly paths: readonly string[]
  /** The one of `paths` that holds the metadata log. */
  readonly metadataPath: string
  readonly nodeId: number
  /** What unformatted directories are given; random when none of them says anything either. */
  readonly clusterId?: string | undefined
  /**
   * Looks at what is there once it is locked and before anything is written: to throw leaves it as it was. Told the
   * `directory.id` of the metadata directory, if it has one, and the directories that can be read.
   */
  readonly examine?: ((found: FoundDirectories) => void) | undefined
}

/** What was locked and identified. */
export interface FoundDirectories {
  readonly metadataDirectoryId: Uuid | undefined
  readonly paths: readonly string[]
}

/** The directories that are open, and whose they are. */
export interface OpenDirectories {
  readonly clusterId: string
  readonly directories: readonly DataDirectory[]
  readonly metadata: DataDirectory
}

interface Identified {
  readonly directory: DataDirectory
  readonly meta: MetaProperties | undefined
}

/**
 * Opens them all or none; but one whose disk fails, and that does not hold the metadata log, is offline from the
 * beginning, and the others are opened without it. A new directory is formatted. Throws KAFKA_STORAGE_ERROR when another broker uses one, when
 * partitions are found without a metadata log or without meta.properties; INCONSISTENT_CLUSTER_ID when they belong to
 * another cluster or node; `StorageFault` when a file can't be read.
 */
export function openDataDirectories(request: DirectoriesRequest): OpenDirectories {
  const directories: DataDirectory[] = []
  try {
    for (const path of request.paths) {
      directories.push(lockOrNote(request, path))
    }
    return identify(request, directories)
  } catch (error) {
    for (const directory of directories) directory.giveBack()
    throw storageError(error, 'Opening the data directories')
  }
}

function lockOrNote(request: DirectoriesRequest, path: string): DataDirectory {
  try {
    return DataDirectory.lock(request.files, path)
  } catch (error) {
    const fault = bearableFault(request, path, error)
    return DataDirectory.unreadable(request.files, path, fault)
  }
}

/**
 * Does something with a directory; when its disk fails, it goes offline, and the answer is undefined. Throws everything
 * else, and the faults of the directory that holds the metadata log.
 */
export function attemptOn<T>(
  request: Pick<DirectoriesRequest, 'metadataPath'>,
  directory: DataDirectory,
  action: () => T,
): T | undefined {
  if (directory.fault) return undefined
  try {
    return action()
  } catch (error) {
    directory.fault = bearableFault(request, directory.path, error)
    return undefined
  }
}

/** The fault of a disk without which a start may go on. Throws all others. */
function bearableFault(
  { metadataPath }: Pick<DirectoriesRequest, 'metadataPath'>,
  path: string,
  error: unknown,
): StorageFault {
  const reported = storageError(error, `Opening the data directory ${path}`)
  const isOfSystem = systemCode(error) !== undefined && reported instanceof StorageFault
  if (!isOfSystem || path === metadataPath) throw reported
  return reported
}

function identify(
  request: DirectoriesRequest,
  directories: readonly DataDirectory[],
): OpenDirectories {
  const read = directories.map((directory) => ({
    directory,
    meta: attemptOn(request, directory, () => directory.readMeta()),
  }))
  const metadata = directories.find(({ path }) => path === request.metadataPath)
  if (!metadata) {
    const detail = `The metadata directory ${request.metadataPath} is none of the log directories`
    throw new KafkaError('INVALID_CONFIG', detail)
  }
  checkPartitionsHaveMetadata(request, directories)
  const identified = read.filter(({ directory }) => !directory.fault)
  const known = identified.find(({ meta }) => meta?.clusterId !== undefined)?.meta?.clusterId
  const clusterId = known ?? request.clusterId ?? randomUuid(request.random)
  for (const one of identified) {
    attemptOn(request, one.directory, () => checkOwner(one, request, clusterId))
  }
  checkDistinct(identified)
  const { meta } = identified.find(({ directory }) => directory === metadata) ?? {}
  const unread = directories.find(({ fault }) => fault !== undefined)
  // Whose they are may stand in the one that can't be read.
  if (unread?.fault && !meta) throw unread.fault
  request.examine?.({
    metadataDirectoryId: meta?.directoryId,
    paths: directories.filter(({ fault }) => !fault).map(({ path }) => path),
  })
  for (const one of identified) {
    attemptOn(request, one.directory, () => format(one, request, clusterId))
  }
  return { clusterId, directories, metadata }
}

/** Topics without a metadata log would all look unassigned. */
function checkPartitionsHaveMetadata(
  request: DirectoriesRequest,
  directories: readonly DataDirectory[],
): void {
  const { files, metadataPath } = request
  const path = `${metadataPath}/${partitionName(METADATA_PARTITION)}`
  const names = files.status(path)?.isDirectory ? files.list(path) : []
  if (names.some(({ name }) => /\.(log|checkpoint)$/.test(name))) return
  for (const directory of directories) {
    const found = attemptOn(request, directory, () => directory.list())
    const orphan = found?.find(({ kind }) => kind.kind === 'partition')
    if (!orphan) continue
    const detail =
      `The data directory ${directory.path} holds partitions (${orphan.name}), but ${path} holds no metadata log; ` +
      `list the directory that has ${partitionName(METADATA_PARTITION)} first, restore that one, or run millrace doctor --rebuild-metadata`
    throw new KafkaError('KAFKA_STORAGE_ERROR', detail)
  }
}

function checkOwner(
  { directory, meta }: Identified,
  request: DirectoriesRequest,
  clusterId: string,
): void {
  const { path } = directory
  if (!meta) {
    const orphan = directory.list().find(({ kind }) => kind.kind === 'partition')
    if (!orphan) return
    const detail = `The data directory ${path} holds partitions (${orphan.name}), but no meta.properties`
    throw new KafkaError('KAFKA_STORAGE_ERROR', detail)
  }
  const expected = request.clusterId ?? clusterId
  if (meta.clusterId !== undefined && meta.clusterId !== expected) {
    const detail = `The data directory ${path} belongs to cluster ${meta.clusterId}, not ${expected}`
    throw new KafkaError('INCONSISTENT_CLUSTER_ID', detail)
  }
  if (meta.nodeId === request.nodeId) return
  const detail = `The data directory ${path} belongs to node ${meta.nodeId}, not to node.id ${request.nodeId}`
  throw new KafkaError('INCONSISTENT_CLUSTER_ID', detail)
}

/** A copied directory must not come back as a second one. */
function checkDistinct(identified: readonly Identified[]): void {
  const paths = new Map<Uuid, string>()
  for (const { directory, meta } of identified) {
    if (!meta?.directoryId) continue
    const other = paths.get(meta.directoryId)
    if (other !== undefined) {
      throw new StorageFault(`${other} and ${directory.path} have the same directory.id`)
    }
    paths.set(meta.directoryId, directory.path)
  }
}

function format(
  { directory, meta }: Identified,
  request: DirectoriesRequest,
  clusterId: string,
): void {
  if (meta?.directoryId !== undefined && meta.clusterId !== undefined) return
  const directoryId = meta?.directoryId ?? randomUuid(request.random)
  directory.writeMeta({ clusterId, nodeId: request.nodeId, directoryId })
}
