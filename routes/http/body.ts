// Request bodies: read whole within limits, or piece by piece.
import type { Clock } from '#storage/base/world.ts'
import type { Door } from './door.ts'
import { HttpError } from './errors.ts'
import { MEDIA, mediaType } from './negotiate.ts'

/** A body of up to this size comes in one piece as a rule, and a stream around it would cost more than what it holds. */
const SMALL_BODY_BYTES = 64 * 1024

const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * The whole body. Throws 413 above the limit, 415 when it is compressed, 408 when it pauses for too long, or when a small
 * one is not whole by then.
 */
export async function readBytes(door: Door, request: Request): Promise<Uint8Array> {
  const { maxRequestBytes, bodyTimeoutMs } = door.config
  const length = Number(request.headers.get('content-length') ?? 0)
  if (length > maxRequestBytes) throw tooLarge(maxRequestBytes)
  if (length > 0 && length <= SMALL_BODY_BYTES) return await smallBody(door, request)
  const pieces: Uint8Array[] = []
  let size = 0
  const pauses = { clock: door.clock, idleMs: bodyTimeoutMs }
  for await (const piece of bodyPieces(request, { pauses })) {
    size += piece.length
    if (size > maxRequestBytes) throw tooLarge(maxRequestBytes)
    pieces.push(piece)
  }
  return joined(pieces, size)
}

async function smallBody(door: Door, request: Request): Promise<Uint8Array> {
  checkEncoding(request)
  const { bodyTimeoutMs } = door.config
  const tooSlow = () => new HttpError(408, `The body was not whole within ${bodyTimeoutMs} ms`)
  const whole = door.bodies.limit(request.arrayBuffer(), tooSlow)
  return new Uint8Array(await whole.catch(brokenOff))
}

/** The whole body as text. Throws 400 when it is not UTF-8. */
export async function readText(door: Door, request: Request): Promise<string> {
  return textOf(await readBytes(door, request))
}

/** A body's bytes as text. Throws 400 when they are not UTF-8. */
export function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new HttpError(400, 'The body is not UTF-8')
  }
}

/** The whole body as parsed JSON. Throws 415 when it says that it is something else, 400 when it is not JSON. */
export async function readJson(door: Door, request: Request): Promise<unknown> {
  const type = mediaType(request.headers.get('content-type') ?? undefined)
  if (type !== '' && type !== MEDIA.json && !/^application\/[\w.-]+\+json$/.test(type)) {
    throw new HttpError(415, `The body must be ${MEDIA.json}, not ${type}`)
  }
  return parseJson(await readText(door, request))
}

/** Parses JSON. Throws 400. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new HttpError(400, `The body is not JSON: ${error instanceof Error ? error.message : ''}`)
  }
}

interface Pauses {
  readonly clock: Clock
  readonly idleMs: number
}

/**
 * The body's pieces as they arrive. With a limit on pauses, throws 408 when the client is silent for longer;
 * with a signal, ends when it aborts.
 */
export async function* bodyPieces(
  request: Request,
  { pauses, signal }: { readonly pauses?: Pauses; readonly signal?: AbortSignal },
): AsyncGenerator<Uint8Array> {
  checkEncoding(request)
  if (request.body === null) return
  const reader = request.body.getReader()
  const cancel = () => void reader.cancel().catch(() => undefined)
  signal?.addEventListener('abort', cancel)
  try {
    for (;;) {
      const { done, value } = await withTimeout(reader.read(), pauses).catch(brokenOff)
      if (done) return
      yield value
    }
  } finally {
    signal?.removeEventListener('abort', cancel)
    // Frees a client that still waits to send, when we stop early.
    cancel()
  }
}

function checkEncoding(request: Request): void {
  const encoding = request.headers.get('content-encoding') ?? 'identity'
  if (encoding === 'identity') return
  throw new HttpError(415, `Bodies must not be encoded with ${encoding}`)
}

/** A client that leaves within its body is nobody's bug. */
function brokenOff(error: unknown): never {
  if (error instanceof HttpError) throw error
  throw new HttpError(400, `The body broke off: ${error instanceof Error ? error.message : error}`)
}

async function withTimeout<T>(promise: Promise<T>, pauses: Pauses | undefined): Promise<T> {
  if (pauses === undefined) return await promise
  const { promise: expired, reject } = Promise.withResolvers<never>()
  const timer = pauses.clock.after(pauses.idleMs, () => {
    reject(new HttpError(408, `Nothing of the body has come for ${pauses.idleMs} ms`))
  })
  try {
    return await Promise.race([promise, expired])
  } finally {
    timer.cancel()
  }
}

function joined(pieces: readonly Uint8Array[], size: number): Uint8Array {
  if (pieces.length === 1 && pieces[0] !== undefined) return pieces[0]
  const whole = new Uint8Array(size)
  let position = 0
  for (const piece of pieces) {
    whole.set(piece, position)
    position += piece.length
  }
  return whole
}

function tooLarge(limit: number): HttpError {
  return new HttpError(413, `The body is larger than ${limit} bytes`)
}
