// Requests that no client would send: Kafka's own samples and ours, changed in their values, their bytes or their framing.
import { APIS } from '#routes/kafka/dispatch.ts'
import type { Message } from '#src/protocol/codec/message.ts'
import { RequestHeader, requestHeaderVersion } from '#src/protocol/messages/headers.ts'
import { ByteWriter } from '#storage/bytes/byte-writer.ts'
import { goldenMessages } from '../golden/messages/golden-messages.ts'
import type { SeededRandom } from '../simulation/seeded-random.ts'
import { messages } from '../src/protocol/messages/all-messages.ts'
import { goodBatch, mutatedBatch } from './mutated-batches.ts'

/** The topic that mutated batches are sent to. */
export const TARGET = 'fuzzed'

/** A request as it goes to the socket, with its length. */
export interface MutatedFrame {
  readonly bytes: Uint8Array
  readonly about: string
  /** The bytes say truly how long they are: what comes behind is a request of its own. */
  readonly isWhole: boolean
  readonly key: number
}

interface Sample {
  readonly name: string
  readonly message: Message
  readonly key: number
  readonly version: number
  readonly value: unknown
}

/** Requests of every API, by whether it is served. */
const samples = [...messages].flatMap(([name, message]): Sample[] => {
  const { key } = message
  if (key === undefined || !name.endsWith('Request')) return []
  return (goldenMessages.get(name) ?? [])
    .filter(({ version }) => version >= message.versions[0] && version <= message.versions[1])
    .map(({ version, value }) => ({ name, message, key, version, value }))
})
const served = new Set(APIS.map(({ key }) => key))
const byServed = [
  samples.filter(({ key }) => !served.has(key)),
  samples.filter(({ key }) => served.has(key)),
] as const

/** A mutated request. The same generator gives the same ones. */
export function mutatedFrame(random: SeededRandom): MutatedFrame {
  const dice = random.float()
  if (dice < 0.05) return noise(random)
  if (dice < 0.35) return withBatch(random)
  const sample = random.pick(byServed[random.chance(0.9) ? 1 : 0])
  const value = random.chance(0.6) ? mutatedValue(random, sample.value) : sample.value
  const request = encode(sample, value) ?? encode(sample, sample.value)
  const about = `${sample.name} v${sample.version}`
  if (!request) throw new Error(`${about} can't be written`)
  if (random.chance(0.25)) return framed(request, about, sample.key)
  return random.pick([changedBytes, changedFraming])(random, { request, about, key: sample.key })
}

function noise(random: SeededRandom): MutatedFrame {
  return framed(random.bytes(random.below(200)), 'noise', -1)
}

/** Produce with a mutated batch, or a good one whose message is mutated. */
function withBatch(random: SeededRandom): MutatedFrame {
  const { bytes, about } = random.chance(0.8)
    ? mutatedBatch(random)
    : { bytes: goodBatch(random), about: 'a good batch' }
  const acks = random.pick([-1, -1, 1, 1, 0, 7])
  return produceFrame(bytes, { about, acks, version: 3 + random.below(10) })
}

/** A Produce of one batch to partition 0 of the target. */
export function produceFrame(
  records: Uint8Array,
  { about, acks = -1, version = 9 }: { about: string; acks?: number; version?: number },
): MutatedFrame {
  const message = messages.get('ProduceRequest') as Message
  const partitionData = [{ index: 0, records }]
  const topicData = [{ name: TARGET, partitionData }]
  const value = { transactionalId: null, acks, timeoutMs: 1000, topicData }
  const request = encode({ name: 'ProduceRequest', message, key: 0, version, value }, value)
  if (!request) throw new Error(`A Produce with ${about} can't be written`)
  return framed(request, `Produce v${version}, acks ${acks}, ${about}`, 0)
}

/** Header and body; undefined when our own declarations have no form for the value. */
function encode({ message, key, version }: Sample, value: unknown): Uint8Array | undefined {
  const writer = new ByteWriter()
  const header = {
    requestApiKey: key,
    requestApiVersion: version,
    correlationId: 1,
    clientId: 'fuzz',
  }
  try {
    RequestHeader.write(writer, header, requestHeaderVersion(message, version))
    message.write(writer, value, version)
    return writer.written.slice()
  } catch {
    return undefined
  }
}

function framed(request: Uint8Array, about: string, key: number): MutatedFrame {
  return { bytes: withLength(request.length, request), about, key, isWhole: true }
}

function withLength(size: number, request: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + request.length)
  new DataView(bytes.buffer).setInt32(0, size)
  bytes.set(request, 4)
  return bytes
}

interface Victim {
  readonly request: Uint8Array
  readonly about: string
  readonly key: number
}

// Counts and lengths as large as they get, classic and compact; varints without an end; bytes that are no UTF-8; tag
// sections that announce more than there is.
const planted = [
  '7fffffff',
  '80000000',
  'ffffffff',
  '7fff',
  '8000',
  'ffffffff0f',
  'ffffffffffffffffff7f',
  '8080808080808080',
  'c080feff',
  'eda080',
  '01ffffffff0f',
  '020002',
]

/** The length before the request stays true. */
function changedBytes(random: SeededRandom, { request, about, key }: Victim): MutatedFrame {
  const bytes = request.slice()
  const kind = random.below(4)
  // Mostly the body; the header has its own share.
  const from = random.chance(0.15) ? 0 : Math.min(15, bytes.length)
  const at = Math.min(from + random.below(Math.max(1, bytes.length - from)), bytes.length - 1)
  if (kind === 0) return framed(bytes.slice(0, at), `${about} cut at ${at}`, key)
  if (kind === 1) {
    bytes[at] = random.uint32()
    return framed(bytes, `${about} with byte ${at} changed`, key)
  }
  const hex = random.pick(planted)
  const form = Buffer.from(hex, 'hex')
  if (kind === 2) {
    const longer = Buffer.concat([bytes.subarray(0, at), form, bytes.subarray(at)])
    return framed(longer, `${about} with ${hex} put in at ${at}`, key)
  }
  bytes.set(form.subarray(0, bytes.length - at), at)
  return framed(bytes, `${about} with ${hex} at ${at}`, key)
}

/** The length before the request is a lie. */
function changedFraming(random: SeededRandom, { request, about, key }: Victim): MutatedFrame {
  const { length } = request
  const sizes = [-1, -(2 ** 31), 2 ** 31 - 1, 104_857_601, 0, 1, 7]
  const size = random.pick([...sizes, length + 1 + random.below(100), random.below(length)])
  const bytes = withLength(size, request)
  return { bytes, about: `${about} of ${length} bytes, said to be ${size}`, key, isWhole: false }
}

/** The value with one of its leaves, or lists, replaced by something at the edge. */
function mutatedValue(random: SeededRandom, value: unknown): unknown {
  const copy = structuredClone(value)
  const places: { holder: Record<string, unknown>; name: string }[] = []
  collect(copy, places)
  if (places.length === 0) return copy
  const { holder, name } = random.pick(places)
  holder[name] = edgeOf(random, name, holder[name])
  return copy
}

function collect(value: unknown, places: { holder: Record<string, unknown>; name: string }[]) {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return
  const holder = value as Record<string, unknown>
  for (const name of Object.keys(holder)) {
    places.push({ holder, name })
    collect(holder[name], places)
  }
}

function edgeOf(random: SeededRandom, name: string, value: unknown): unknown {
  if (typeof value === 'boolean') return !value
  if (typeof value === 'bigint' || typeof value === 'number') {
    // A wait that was asked for is no hang.
    if (/wait|timeout/i.test(name)) return random.pick([-1, 0, 20, -(2 ** 31)])
    return random.pick([0, -1, 1, -2, 127, 32_767, -32_768, 2 ** 31 - 1, -(2 ** 31), 2 ** 53 - 1])
  }
  if (typeof value === 'string') {
    return random.pick(['', TARGET, '..', '../../x', '__consumer_offsets', 'x'.repeat(300), '\0'])
  }
  if (value instanceof Uint8Array) return mutatedBatch(random).bytes
  if (Array.isArray(value)) return random.pick([[], null, Array(50).fill(value).flat()])
  return null
}
