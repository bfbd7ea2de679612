// A data directory as a broker left it, and what may be done to it before the next one starts.
import { readFileSync } from 'node:fs'
import {
  encodeMetadataRecord,
  type NewMetadataRecord,
} from '#src/protocol/records/metadata-record.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { readBatches } from '#storage/batch/record-batch.ts'
import type { Files } from '#storage/fs/files.ts'

/** Writes a whole file. */
export function put(files: Files, path: string, content: string | Uint8Array): void {
  const file = files.open(path, 'write')
  file.truncate(0)
  file.write(typeof content === 'string' ? new TextEncoder().encode(content) : content, 0)
  file.close()
}

/** Reads a whole file; nothing when there is none. */
export function read(files: Files, path: string): Uint8Array {
  return files.readFile(path)?.slice() ?? new Uint8Array()
}

/** Appends records to the metadata log of a stopped broker, as its controller would. */
export function appendMetadata(
  files: Files,
  directory: string,
  values: readonly (NewMetadataRecord | Uint8Array)[],
): void {
  const log = `${directory}/__cluster_metadata-0`
  const name = files
    .list(log)
    .map((entry) => entry.name)
    .filter((each) => each.endsWith('.log'))
    .sort()
    .at(-1)
  const bytes = read(files, `${log}/${name}`)
  const last = Array.from(readBatches(bytes)).at(-1)
  const records = values.map((value) => ({
    key: null,
    value: value instanceof Uint8Array ? value : encodeMetadataRecord(value),
    timestamp: Number(last?.maxTimestamp ?? 0),
  }))
  const batch = buildBatch(records, {
    baseOffset: last?.nextOffset ?? 0,
    leaderEpoch: last?.partitionLeaderEpoch ?? 1,
  })
  const whole = new Uint8Array(bytes.length + batch.length)
  whole.set(bytes)
  whole.set(batch, bytes.length)
  put(files, `${log}/${name}`, whole)
}

/** Everything under a directory: content and modification time by path; `.` files too. */
export function everything(files: Files, directory: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const { name, isDirectory } of files.list(directory)) {
    const path = `${directory}/${name}`
    if (isDirectory) {
      found.set(path, 'directory')
      for (const [inside, what] of everything(files, path)) found.set(inside, what)
    } else {
      const content = Buffer.from(read(files, path)).toString('base64')
      found.set(path, `${files.status(path)?.modifiedMs} ${content}`)
    }
  }
  return found
}

const acl = {
  id: 'AAAAAAAAAAAAAAAAAAAABw',
  resourceType: 2,
  resourceName: 'orders',
  patternType: 3,
  principal: 'User:alice',
  host: '*',
  operation: 2,
  permissionType: 3,
}

/** An ACL that lets somebody do something. */
export const ACL: NewMetadataRecord = { type: 'AccessControlEntryRecord', version: 0, data: acl }

/** A password that somebody is known by. */
export const SCRAM: NewMetadataRecord = {
  type: 'UserScramCredentialRecord',
  version: 0,
  data: {
    name: 'alice',
    mechanism: 1,
    salt: Uint8Array.of(1),
    storedKey: Uint8Array.of(2),
    serverKey: Uint8Array.of(3),
    iterations: 4096,
  },
}

/** A feature at a level. */
export const feature = (name: string, featureLevel: number): NewMetadataRecord => ({
  type: 'FeatureLevelRecord',
  version: 0,
  data: { name, featureLevel },
})

/** The topic orders has segments that are not here. */
export const REMOTE: NewMetadataRecord = {
  type: 'ConfigRecord',
  version: 0,
  data: { resourceType: 2, resourceName: 'orders', name: 'remote.storage.enable', value: 'true' },
}

/** A `bootstrap.checkpoint`, as `kafka-storage format` writes it, with these records. */
export function bootstrapFile(records: readonly NewMetadataRecord[]): Uint8Array {
  const golden = new URL('../../golden/datadir/bootstrap.checkpoint', import.meta.url)
  const batches = Array.from(readBatches(new Uint8Array(readFileSync(golden))))
  const values = records.map((record) => ({
    key: null,
    value: encodeMetadataRecord(record),
    timestamp: 0,
  }))
  const parts = [batches[0]?.bytes ?? [], buildBatch(values, {}), batches.at(-1)?.bytes ?? []]
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}
