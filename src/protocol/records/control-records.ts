// The control records of a KRaft log and its snapshots (KIP-595, KIP-630, KIP-853).
import { ByteReader } from '#storage/bytes/byte-reader.ts'
import { ByteWriter } from '#storage/bytes/byte-writer.ts'
import { array, struct } from '../codec/composites.ts'
import { since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, int64Exact, string, uint16, uuid } from '../codec/primitives.ts'
import { malformed } from '../codec/type.ts'

/** What a control record is, as its key says. */
export const CONTROL_RECORD_TYPES = {
  ABORT: 0,
  COMMIT: 1,
  LEADER_CHANGE: 2,
  SNAPSHOT_HEADER: 3,
  SNAPSHOT_FOOTER: 4,
  KRAFT_VERSION: 5,
  KRAFT_VOTERS: 6,
} as const

const CONTROL_KEY_VERSION = 0

const voter = struct({ voterId: int32(), voterDirectoryId: since(1, uuid()) })

/** The first record of every epoch: who leads, and who voted. v1: directory ids (KIP-853); Kafka 4.3 writes v0. */
export const LeaderChangeMessage = message(
  { versions: [0, 1], flexible: 0 },
  {
    version: int16(),
    leaderId: int32(),
    voters: array(voter),
    grantingVoters: array(voter),
  },
)
/** LeaderChangeMessage, decoded. */
export type LeaderChangeMessage = Infer<typeof LeaderChangeMessage>

/** The first record of a snapshot. */
export const SnapshotHeaderRecord = message(
  { versions: [0, 0], flexible: 0 },
  { version: int16(), lastContainedLogTimestamp: int64Exact() },
)
/** SnapshotHeaderRecord, decoded. */
export type SnapshotHeaderRecord = Infer<typeof SnapshotHeaderRecord>

/** The last record of a snapshot: without it the file is not whole. */
export const SnapshotFooterRecord = message({ versions: [0, 0], flexible: 0 }, { version: int16() })
/** SnapshotFooterRecord, decoded. */
export type SnapshotFooterRecord = Infer<typeof SnapshotFooterRecord>

/** The finalised kraft.version: 1 lets voters change and lists them in VotersRecord. */
export const KRaftVersionRecord = message(
  { versions: [0, 0], flexible: 0 },
  { version: int16(), kRaftVersion: int16() },
)
/** KRaftVersionRecord, decoded. */
export type KRaftVersionRecord = Infer<typeof KRaftVersionRecord>

/** The voters of the quorum with their directories and endpoints. */
export const VotersRecord = message(
  { versions: [0, 0], flexible: 0 },
  {
    version: int16(),
    voters: array(
      struct({
        voterId: int32(),
        voterDirectoryId: uuid(),
        endpoints: array(struct({ name: string(), host: string(), port: uint16() })),
        kRaftVersionFeature: struct({
          minSupportedVersion: int16(),
          maxSupportedVersion: int16(),
        }),
      }),
    ),
  },
)
/** VotersRecord, decoded. */
export type VotersRecord = Infer<typeof VotersRecord>

/** The key of a control record: int16 version 0, int16 type. */
export function encodeControlKey(type: number): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(4)
  writer.int16(CONTROL_KEY_VERSION)
  writer.int16(type)
  return writer.written
}

/** The type in the key of a control record; keys of later versions begin alike. Throws CORRUPT_MESSAGE. */
export function decodeControlKey(key: Uint8Array): number {
  const reader = new ByteReader(key)
  const version = reader.int16()
  if (version < CONTROL_KEY_VERSION) throw malformed(`Control record key has version ${version}`)
  return reader.int16()
}
