// A tail over a WebSocket: a message a record, sent only while the peer keeps up.
import type { WSContext, WSEvents } from 'hono/ws'
import { bufferedBytes } from '#src/platform/websocket.ts'
import type { Clock } from '#storage/base/world.ts'
import { recordJson } from '../record-json.ts'
import { parseAcknowledgements } from './acknowledgements.ts'
import { eventJson } from './ndjson.ts'
import type { TailSource } from './tail-step.ts'

/** Above this a peer is slow, and nothing more is read for it. */
const MAX_BUFFERED_BYTES = 256 * 1024
const SLOW_PEER_CHECK_MS = 20
/** An upgrade that has not opened its socket by then never will. */
const OPEN_TIMEOUT_MS = 10_000

/** Close codes of RFC 6455. */
const GOING_AWAY = 1001
const POLICY_VIOLATION = 1008
const INTERNAL_ERROR = 1011
const OPEN = 1

/** The events of a socket that carries a tail. The peer's messages are acknowledgements, or ignored where none are asked for. */
export function webSocketEvents(tail: TailSource, clock: Clock): WSEvents {
  const timer = clock.after(OPEN_TIMEOUT_MS, tail.close)
  return {
    onOpen(_event, socket) {
      timer.cancel()
      void send(tail, socket, clock).catch(tail.close)
    },
    onMessage(event, socket) {
      if (tail.acknowledge) acknowledge(tail, event.data, socket)
    },
    onClose: tail.close,
    onError: tail.close,
  }
}

/** A peer that can't be understood would wait in vain for what it said to be committed. */
function acknowledge(tail: TailSource, text: unknown, socket: WSContext): void {
  try {
    for (const { topic, partition, offset } of parseAcknowledgements(text)) {
      tail.acknowledge?.({ topic, partition }, offset + 1)
    }
  } catch (error) {
    tail.close()
    if (isOpen(socket)) socket.send(eventJson({ kind: 'error', error }))
    close(socket, POLICY_VIOLATION, 'See the last message')
  }
}

async function send(tail: TailSource, socket: WSContext, clock: Clock): Promise<void> {
  socket.send(`{"event":"ping","cursor":${tail.cursor.toJson()}}`)
  for (;;) {
    const step = await tail.next()
    if (step === undefined) return close(socket, GOING_AWAY, 'The broker is stopping')
    if (step.kind === 'records') {
      for (const record of step.records) {
        if (!isOpen(socket)) return tail.close()
        socket.send(recordJson(record))
        tail.cursor.set(record.topic, record.partition, record.offset + 1)
        while (isOpen(socket) && bufferedBytes(socket.raw) > MAX_BUFFERED_BYTES) {
          await delay(clock, SLOW_PEER_CHECK_MS)
        }
      }
    } else {
      if (!isOpen(socket)) return tail.close()
      const cursor = tail.cursor.toJson()
      socket.send(step.kind === 'ping' ? `{"event":"ping","cursor":${cursor}}` : eventJson(step))
      if (step.kind === 'error') return close(socket, INTERNAL_ERROR, 'See the last message')
    }
  }
}

function isOpen(socket: WSContext): boolean {
  // Bun's context keeps the state it was made with; the socket itself knows.
  const raw = socket.raw
  const state =
    typeof raw === 'object' && raw !== null && 'readyState' in raw ? raw.readyState : undefined
  return (state ?? socket.readyState) === OPEN
}

function close(socket: WSContext, code: number, reason: string): void {
  if (isOpen(socket)) socket.close(code, reason)
}

function delay(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve))
}
