// Refusals as HTTP: one table from Kafka's error names to statuses and REST Proxy's error codes.
import { KafkaError, type KafkaErrorName, StorageFault } from '#storage/base/errors.ts'

/** A request that the door itself refuses. REST Proxy's `error_code` is the status, or the status and two digits. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly errorCode: number
  readonly headers: Readonly<Record<string, string>>

  constructor(errorCode: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.errorCode = errorCode
    this.headers = headers
  }
}

/** What a client sees of any error. */
export interface ErrorBody {
  readonly error_code: number
  readonly message: string
}

/** REST Proxy has two dialects, told apart by the path: v2 at the root, v3 under `/v3/`. */
export type Dialect = 'v2' | 'v3'

const RETRIABLE = 50003
const BAD_REQUEST = 40002

/** Kafka's refusals that are not a plain 50002: "Kafka error". Rows with two codes differ between v2 and v3. */
const CODES: Partial<Record<KafkaErrorName, number | readonly [v2: number, v3: number]>> = {
  UNKNOWN_TOPIC_OR_PARTITION: [40401, 40403],
  UNKNOWN_TOPIC_ID: [40401, 40403],
  RESOURCE_NOT_FOUND: 404,
  OFFSET_OUT_OF_RANGE: 41601,
  TOPIC_ALREADY_EXISTS: BAD_REQUEST,
  INVALID_TOPIC_EXCEPTION: BAD_REQUEST,
  INVALID_PARTITIONS: BAD_REQUEST,
  INVALID_REPLICATION_FACTOR: BAD_REQUEST,
  INVALID_REPLICA_ASSIGNMENT: BAD_REQUEST,
  INVALID_CONFIG: BAD_REQUEST,
  INVALID_REQUEST: BAD_REQUEST,
  INVALID_FETCH_SIZE: BAD_REQUEST,
  INVALID_REQUIRED_ACKS: BAD_REQUEST,
  POLICY_VIOLATION: BAD_REQUEST,
  INVALID_RECORD: 42206,
  INVALID_TIMESTAMP: 42206,
  UNSUPPORTED_COMPRESSION_TYPE: 42206,
  MESSAGE_TOO_LARGE: 41301,
  RECORD_LIST_TOO_LARGE: 41301,
  SASL_AUTHENTICATION_FAILED: 40101,
  TOPIC_AUTHORIZATION_FAILED: 40301,
  GROUP_AUTHORIZATION_FAILED: 40301,
  CLUSTER_AUTHORIZATION_FAILED: 40301,
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 40301,
  TOPIC_DELETION_DISABLED: 40301,
  THROTTLING_QUOTA_EXCEEDED: 42901,
  REQUEST_TIMED_OUT: 40801,
  LEADER_NOT_AVAILABLE: RETRIABLE,
  NOT_LEADER_OR_FOLLOWER: RETRIABLE,
  BROKER_NOT_AVAILABLE: RETRIABLE,
  REPLICA_NOT_AVAILABLE: RETRIABLE,
  NOT_ENOUGH_REPLICAS: RETRIABLE,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: RETRIABLE,
  NOT_CONTROLLER: RETRIABLE,
  KAFKA_STORAGE_ERROR: RETRIABLE,
  OFFSET_NOT_AVAILABLE: RETRIABLE,
  GROUP_ID_NOT_FOUND: [40405, 404],
  INVALID_GROUP_ID: BAD_REQUEST,
  NON_EMPTY_GROUP: 409,
  GROUP_SUBSCRIBED_TO_TOPIC: 409,
  COORDINATOR_NOT_AVAILABLE: RETRIABLE,
  COORDINATOR_LOAD_IN_PROGRESS: RETRIABLE,
  NOT_COORDINATOR: RETRIABLE,
  // A member that its group has given up joins again by itself.
  UNKNOWN_MEMBER_ID: RETRIABLE,
  STALE_MEMBER_EPOCH: RETRIABLE,
  FENCED_MEMBER_EPOCH: RETRIABLE,
  UNRELEASED_INSTANCE_ID: 40902,
  INVALID_REGULAR_EXPRESSION: 42204,
  OFFSET_METADATA_TOO_LARGE: 42206,
  GROUP_MAX_SIZE_REACHED: 50302,
}

/** REST Proxy's code for a refusal. */
export function errorCodeOf(name: KafkaErrorName, dialect: Dialect = 'v2'): number {
  const code = CODES[name] ?? 50002
  return typeof code === 'number' ? code : code[dialect === 'v2' ? 0 : 1]
}

/** The HTTP status of a code: its first three digits. */
export function statusOf(errorCode: number): number {
  return errorCode > 999 ? Math.floor(errorCode / 100) : errorCode
}

/** What a client is told of anything thrown. Bugs keep their message to themselves. */
export function errorBody(error: unknown, dialect: Dialect = 'v2'): ErrorBody {
  if (error instanceof HttpError) return { error_code: error.errorCode, message: error.message }
  if (error instanceof KafkaError) {
    return { error_code: errorCodeOf(error.code, dialect), message: error.message }
  }
  if (error instanceof StorageFault) return { error_code: RETRIABLE, message: error.message }
  return { error_code: 500, message: 'Internal server error' }
}

/** The answer to a request that failed. */
export function errorResponse(error: unknown, path: string): Response {
  const body = errorBody(error, path.startsWith('/v3/') ? 'v3' : 'v2')
  return new Response(JSON.stringify(body), {
    status: statusOf(body.error_code),
    headers: {
      'content-type': 'application/json',
      ...(error instanceof HttpError ? error.headers : {}),
    },
  })
}

/** One entry of a body that names each failure: the same code, under REST Proxy's name for the message. */
export function recordError(error: unknown): { error_code: number; error: string } {
  const { error_code, message } = errorBody(error)
  return { error_code, error: message }
}
