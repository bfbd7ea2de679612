// Control records: transaction markers, and what KRaft writes into the metadata log. Their key is int16 version, int16 type.
import { KafkaError } from '../base/errors.ts'
import { ByteReader } from '../bytes/byte-reader.ts'
import type { LogRecord } from './record.ts'

/** Types of control records. From 2 on they occur in the metadata log only. */
export const CONTROL_TYPE = {
  abort: 0,
  commit: 1,
  leaderChange: 2,
  snapshotHeader: 3,
  snapshotFooter: 4,
  kraftVersion: 5,
  kraftVoters: 6,
} as const

/** The type in a control record's key, known here or not. Throws CORRUPT_MESSAGE when it has none. */
export function controlType(record: Pick<LogRecord, 'key'>): number {
  if (record.key === null) throw new KafkaError('CORRUPT_MESSAGE', 'A control record has no key')
  const key = new ByteReader(record.key)
  const version = key.int16()
  if (version >= 0) return key.int16()
  throw new KafkaError('CORRUPT_MESSAGE', `A control record has key version ${version}`)
}

/** The coordinator epoch in the value of a transaction marker. Throws CORRUPT_MESSAGE when it has none. */
export function coordinatorEpoch(marker: Pick<LogRecord, 'value'>): number {
  if (marker.value === null) throw new KafkaError('CORRUPT_MESSAGE', 'A marker has no value')
  const value = new ByteReader(marker.value)
  const version = value.int16()
  if (version >= 0) return value.int32()
  throw new KafkaError('CORRUPT_MESSAGE', `A marker has value version ${version}`)
}
