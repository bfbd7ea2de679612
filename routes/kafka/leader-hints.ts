// Tells clients that asked the wrong broker, or with an old leader epoch, whom to ask (KIP-951).
import type { RequestContext } from './api.ts'

/** A broker's address as Produce and Fetch answer it. */
export interface NodeEndpoint {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/** The addresses, on the listener of the client, of those of the leaders that are registered there. */
export function leaderEndpoints(
  { broker, session, listener }: RequestContext,
  leaders: Iterable<{ readonly leaderId: number } | undefined>,
): NodeEndpoint[] {
  const ids = new Set<number>()
  for (const leader of leaders) if (leader && leader.leaderId >= 0) ids.add(leader.leaderId)
  if (ids.size === 0) return []
  return broker.listBrokers(session).flatMap(({ id: nodeId, rack, endpoints }) => {
    if (!ids.has(nodeId)) return []
    const isThis = nodeId === broker.nodeId
    const address = isThis ? listener : endpoints.find(({ name }) => name === listener.name)
    return address ? [{ nodeId, host: address.host, port: address.port, rack }] : []
  })
}
