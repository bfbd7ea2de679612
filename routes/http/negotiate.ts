// Media types: what a body is, and which answer a client likes best.
import { HttpError } from './errors.ts'

/** The types under which the door speaks. */
export const MEDIA = {
  json: 'application/json',
  v2: 'application/vnd.kafka.v2+json',
  v2Json: 'application/vnd.kafka.json.v2+json',
  v2Binary: 'application/vnd.kafka.binary.v2+json',
  ndjson: 'application/x-ndjson',
  sse: 'text/event-stream',
  bytes: 'application/octet-stream',
} as const

const NDJSON_NAMES = new Set([
  MEDIA.ndjson,
  'application/ndjson',
  'application/jsonl',
  'application/x-jsonlines',
  'application/jsonlines',
])

/** A media type without its parameters, in lower case; NDJSON under one name. */
export function mediaType(header: string | undefined): string {
  // What nearly all clients send, as it is.
  if (header === MEDIA.json || header === MEDIA.v2Json || header === MEDIA.ndjson) return header
  const type = (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  return NDJSON_NAMES.has(type) ? MEDIA.ndjson : type
}

/** The best of `offers` (our favourite first) for an Accept header. Throws 406 when none will do. */
export function negotiate<T extends string>(accept: string | undefined, offers: readonly T[]): T {
  const ranges = parseAccept(accept)
  let best: { offer: T; quality: number } | undefined
  for (const offer of offers) {
    const quality = qualityOf(offer, ranges)
    if (quality > (best?.quality ?? 0)) best = { offer, quality }
  }
  if (best !== undefined) return best.offer
  throw new HttpError(406, `None of ${accept} can be had here, only ${offers.join(', ')}`)
}

interface AcceptRange {
  readonly type: string
  readonly quality: number
}

function parseAccept(accept: string | undefined): readonly AcceptRange[] {
  if (accept === undefined || accept.trim() === '') return [{ type: '*/*', quality: 1 }]
  return accept.split(',').map((part) => {
    const quality = /;\s*q=([\d.]+)/i.exec(part)?.[1]
    return { type: mediaType(part), quality: quality === undefined ? 1 : Number(quality) || 0 }
  })
}

/** The most specific range decides (RFC 9110, 12.5.1). */
function qualityOf(offer: string, ranges: readonly AcceptRange[]): number {
  const group = `${offer.slice(0, offer.indexOf('/'))}/*`
  for (const wanted of [offer, group, '*/*']) {
    const range = ranges.find(({ type }) => type === wanted)
    if (range !== undefined) return range.quality
  }
  return 0
}
