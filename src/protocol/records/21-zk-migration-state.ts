// Metadata record type 21: ZkMigrationStateRecord.
import { type Infer, message } from '../codec/message.ts'
import { int8 } from '../codec/primitives.ts'

/** How far the migration from ZooKeeper got. Means nothing since Kafka 4.0, but old logs hold it. */
export const ZkMigrationStateRecord = message(
  { key: 21, versions: [0, 0], flexible: 0 },
  {
    zkMigrationState: int8(),
  },
)
/** ZkMigrationStateRecord, decoded. */
export type ZkMigrationStateRecord = Infer<typeof ZkMigrationStateRecord>
