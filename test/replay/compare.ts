// Compares decoded answers of two brokers field by field; what each broker chose for itself is matched, not compared.
import { readBatches } from '#storage/batch/record-batch.ts'

/** A field that differs. */
export interface Difference {
  /** Names from the top; elements of lists stand with their key: `apiKeys[68].maxVersion`. */
  readonly path: string
  readonly kafka: unknown
  readonly ours: unknown
}

/** Fields whose values each broker makes up: equal is what was paired when it was first seen. */
const MADE_UP = new Set([
  'topicId',
  'sessionId',
  'producerId',
  'clusterId',
  'port',
  'logDir',
  'memberId',
  'leader',
])
/** A group's leader is one of its members. */
const kindOf = (name: string) => (name === 'leader' ? 'memberId' : name)
/** What every broker calls by the same value: nothing, none, unknown. A producer may have the id 0, a session may not. */
const PLAIN = new Set<unknown>([-1, null, '', 'AAAAAAAAAAAAAAAAAAAAAA'])
const isPlain = (name: string, value: unknown) =>
  PLAIN.has(value) || (name === 'sessionId' && value === 0)
/** The field that tells the elements of a list apart, most telling first. */
const KEYS = [
  'name',
  'topic',
  'topicName',
  'partitionIndex',
  'partition',
  'index',
  'nodeId',
  'brokerId',
  'apiKey',
  'resourceName',
  'topicId',
  'logDir',
  'memberId',
  'groupId',
]

/** Which of our ids stands for which of Kafka's, learned from the answers. */
export class Pairs {
  readonly #ours = new Map<string, unknown>()

  /** Ours for Kafka's; the same where none has been learned. */
  ours(name: string, kafka: unknown): unknown {
    return this.#ours.get(`${kindOf(name)} ${kafka}`) ?? kafka
  }

  /** Whether the two stand for each other: learned at the first sight. */
  match(name: string, kafka: unknown, ours: unknown): boolean {
    if (isPlain(name, kafka) || isPlain(name, ours)) return kafka === ours
    const key = `${kindOf(name)} ${kafka}`
    if (!this.#ours.has(key)) this.#ours.set(key, ours)
    return this.#ours.get(key) === ours
  }
}

/** Every field in which two decoded answers differ. */
export function differences(kafka: unknown, ours: unknown, pairs: Pairs): Difference[] {
  const found: Difference[] = []
  compare({ kafka, ours, path: '', name: '' }, pairs, found)
  return found
}

interface Place extends Difference {
  readonly name: string
}

function compare(place: Place, pairs: Pairs, found: Difference[]): void {
  const { kafka, ours, path } = place
  if (kafka instanceof Uint8Array && ours instanceof Uint8Array) {
    const read = place.name === 'records' ? batchesOf : base64
    compare({ ...place, kafka: read(kafka), ours: read(ours) }, pairs, found)
    return
  }
  if (Array.isArray(kafka) && Array.isArray(ours)) {
    compareLists(place, { kafka, ours }, pairs, found)
    return
  }
  if (isStruct(kafka) && isStruct(ours)) {
    for (const field of new Set([...Object.keys(kafka), ...Object.keys(ours)])) {
      const below = path === '' ? field : `${path}.${field}`
      compare({ kafka: kafka[field], ours: ours[field], path: below, name: field }, pairs, found)
    }
    return
  }
  if (!isSame(place, pairs)) found.push({ path, kafka, ours })
}

function isSame({ kafka, ours, name }: Place, pairs: Pairs): boolean {
  if (MADE_UP.has(name)) return pairs.match(name, kafka, ours)
  // Messages are for people: they have to be there, in whatever words.
  if (/message$/i.test(name))
    return (kafka ?? '') === '' ? (ours ?? '') === '' : (ours ?? '') !== ''
  return kafka === ours
}

function compareLists(
  { path, name }: Place,
  { kafka, ours }: { kafka: readonly unknown[]; ours: readonly unknown[] },
  pairs: Pairs,
  found: Difference[],
): void {
  const left = byKey(kafka, (field, value) => pairs.ours(field, value))
  const right = byKey(ours, (_, value) => value)
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const below = { kafka: left.get(key), ours: right.get(key), path: `${path}[${key}]`, name }
    compare(below, pairs, found)
  }
}

/** The elements by what tells them apart, else by their place. */
function byKey(list: readonly unknown[], paired: (field: string, value: unknown) => unknown) {
  return new Map(
    list.map((element, at) => {
      if (!isStruct(element)) return [String(at), element]
      const field = KEYS.find((name) => {
        const value = element[name]
        // One made-up id may stand before it has been paired: then the place has to do.
        return (
          value !== undefined &&
          value !== null &&
          value !== '' &&
          !(MADE_UP.has(name) && list.length === 1)
        )
      })
      return [field === undefined ? String(at) : String(paired(field, element[field])), element]
    }),
  )
}

function isStruct(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
}

/** Record batches as what is in them: headers field by field, records byte by byte. */
function batchesOf(bytes: Uint8Array): unknown[] {
  return Array.from(readBatches(bytes), (batch) => ({
    baseOffset: batch.baseOffset,
    lastOffset: batch.lastOffset,
    partitionLeaderEpoch: batch.partitionLeaderEpoch,
    attributes: batch.attributes,
    baseTimestamp: batch.baseTimestamp,
    maxTimestamp: batch.maxTimestamp,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    recordCount: batch.recordCount,
    isCrcValid: batch.isCrcValid(),
    records: base64(batch.bytes.subarray(61)),
  }))
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
