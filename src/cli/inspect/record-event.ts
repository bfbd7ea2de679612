// A stored record as an inspection shows it, with what control and metadata records mean.

import { KafkaError } from '#storage/base/errors.ts'
import { CONTROL_TYPE, controlType, coordinatorEpoch } from '#storage/batch/control-record.ts'
import type { LogRecord } from '#storage/batch/record.ts'
import { ByteReader } from '#storage/bytes/byte-reader.ts'
import {
  KRaftVersionRecord,
  LeaderChangeMessage,
  SnapshotFooterRecord,
  SnapshotHeaderRecord,
  VotersRecord,
} from '../../protocol/records/control-records.ts'
import { decodeMetadataRecord } from '../../protocol/records/metadata-record.ts'
import { base64, utf8Text } from '../display.ts'
import type { RecordEvent } from './inspect-event.ts'

/** Control records of a KRaft log: their name, and how their value is read. */
const KRAFT_CONTROL = new Map([
  [CONTROL_TYPE.leaderChange, { type: 'LeaderChange', schema: LeaderChangeMessage }],
  [CONTROL_TYPE.snapshotHeader, { type: 'SnapshotHeader', schema: SnapshotHeaderRecord }],
  [CONTROL_TYPE.snapshotFooter, { type: 'SnapshotFooter', schema: SnapshotFooterRecord }],
  [CONTROL_TYPE.kraftVersion, { type: 'KRaftVersion', schema: KRaftVersionRecord }],
  [CONTROL_TYPE.kraftVoters, { type: 'KRaftVoters', schema: VotersRecord }],
] as const)

/** What to show of a record. */
export function recordEvent(
  record: LogRecord,
  isControl: boolean,
  isMetadata: boolean,
): RecordEvent {
  const key = textOf(record.key)
  const value = textOf(record.value)
  return {
    kind: 'record',
    offset: record.offset,
    timestamp: String(record.timestamp),
    key: key.text,
    ...(key.isBase64 ? { keyEncoding: 'base64' as const } : {}),
    value: value.text,
    ...(value.isBase64 ? { valueEncoding: 'base64' as const } : {}),
    headers: record.headers.map((header) => {
      const { text, isBase64 } = textOf(header.value)
      const encoding = isBase64 ? { valueEncoding: 'base64' as const } : {}
      return { name: header.key, value: text, ...encoding }
    }),
    ...meaningOf(record, isControl, isMetadata),
  }
}

function meaningOf(
  record: LogRecord,
  isControl: boolean,
  isMetadata: boolean,
): Pick<RecordEvent, 'meaning'> {
  try {
    if (isControl) return { meaning: controlMeaning(record) }
    if (isMetadata && record.value !== null) {
      const { type, version, data } = decodeMetadataRecord(record.value)
      return { meaning: { type, version, data: plain(data) } }
    }
    return {}
  } catch (error) {
    if (error instanceof KafkaError) return { meaning: { type: error.message } }
    throw error
  }
}

function controlMeaning(record: LogRecord): NonNullable<RecordEvent['meaning']> {
  const type = controlType(record)
  if (type === CONTROL_TYPE.abort || type === CONTROL_TYPE.commit) {
    const data = { coordinatorEpoch: coordinatorEpoch(record) }
    return { type: type === CONTROL_TYPE.abort ? 'Abort' : 'Commit', data }
  }
  for (const [key, known] of KRAFT_CONTROL) {
    if (key !== type || record.value === null) continue
    // The message begins with its own version, which is the schema's too where that has several.
    const version = Math.min(new ByteReader(record.value).int16(), known.schema.versions[1])
    return {
      type: known.type,
      version,
      data: plain(known.schema.read(new ByteReader(record.value), version)),
    }
  }
  return { type: `Control ${type}` }
}

function textOf(bytes: Uint8Array | null): { text: string | null; isBase64: boolean } {
  if (bytes === null) return { text: null, isBase64: false }
  const text = utf8Text(bytes)
  return text === undefined ? { text: base64(bytes), isBase64: true } : { text, isBase64: false }
}

/** A decoded value in terms that JSON has: bytes as base64, large integers as texts. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint8Array) return base64(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]))
}
