// Directory ids with a meaning of their own (KIP-858).
import { METADATA_TOPIC_ID, type Uuid, ZERO_UUID } from '#storage/base/uuid.ts'

/** The partition was made before directories had ids; its broker says where it is. */
export const MIGRATING_DIRECTORY: Uuid = ZERO_UUID
/** The broker chooses a directory. */
export const UNASSIGNED_DIRECTORY: Uuid = METADATA_TOPIC_ID
/** The directory is offline or gone. */
export const LOST_DIRECTORY: Uuid = 'AAAAAAAAAAAAAAAAAAAAAg'
