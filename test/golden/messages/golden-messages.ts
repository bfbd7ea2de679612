// Access to the golden messages: what Kafka's generated classes write, and what they read from it.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

/** An API of Kafka 4.3.1: its stable versions, and for each of them the versions of the headers. */
export interface GoldenApi {
  readonly key: number
  readonly name: string
  readonly versions: readonly [number, number]
  readonly requestHeaders: readonly number[]
  readonly responseHeaders: readonly number[]
}

/** One message in one version. GoldenMessages.java says what the samples are. */
export interface GoldenMessage {
  readonly message: string
  readonly version: number
  readonly sample: 'default' | 'full' | 'null' | 'extreme'
  readonly bytes: Uint8Array
  /** What Kafka reads from the bytes: every field, with its default where the version lacks it. */
  readonly value: unknown
}

/** What Kafka does with the full sample of a version when a field that the version lacks is set, or one without null is null. */
export interface LackingField {
  readonly lacking: string
  readonly version: number
  /** Names from the top, through the first elements of lists: `topics.partitions.leaderEpoch`. */
  readonly path: string
  readonly value: unknown
  /** It writes the message without the field; otherwise it refuses. */
  readonly isDropped: boolean
}

const file = fileURLToPath(new URL('messages.jsonl.gz', import.meta.url))
const lines = gunzipSync(readFileSync(file)).toString('utf8').trimEnd().split('\n')
const parsed = lines.map((line) => JSON.parse(line, revive))

/** Every API that Kafka 4.3.1 has. */
export const goldenApis: readonly GoldenApi[] = parsed.filter((line) => 'key' in line)

/** The samples of every message, by the message's name. */
export const goldenMessages: ReadonlyMap<string, readonly GoldenMessage[]> = Map.groupBy(
  parsed
    .filter((line) => 'message' in line)
    .map((line): GoldenMessage => ({ ...line, bytes: fromBase64(line.bytes) })),
  (line) => line.message,
)

/** The fields that versions lack, by the message's name. */
export const lackingFields: ReadonlyMap<string, readonly LackingField[]> = Map.groupBy(
  parsed.filter((line): line is LackingField => 'lacking' in line),
  (line) => line.lacking,
)

function revive(_name: string, value: unknown): unknown {
  if (typeof value === 'string') return /^-?\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value
  if (typeof value !== 'object' || value === null || !('base64' in value)) return value
  return fromBase64(String(value.base64))
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'))
}
