// What Hono's WebSocket context does not tell: how much a runtime still holds for a slow peer.

/** Bytes that were sent to a socket (`WSContext.raw`) but not yet taken by the system. */
export function bufferedBytes(raw: unknown): number {
  if (typeof raw !== 'object' || raw === null) return 0
  if ('getBufferedAmount' in raw && typeof raw.getBufferedAmount === 'function') {
    return Number(raw.getBufferedAmount())
  }
  return 'bufferedAmount' in raw ? Number(raw.bufferedAmount) : 0
}
