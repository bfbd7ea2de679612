// The brokers of the cluster under the addresses that this client is told.
import type { RequestContext } from './api.ts'

/** A broker and where this client reaches it. */
export interface Node {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
  readonly isFenced: boolean
}

/** All brokers that have the client's listener; this one under the address that the client came to or is told. */
export function nodes({ broker, listener, session }: RequestContext): Node[] {
  return broker.listBrokers(session).flatMap(({ id, rack, isFenced, endpoints }) => {
    const endpoint =
      id === broker.nodeId ? listener : endpoints.find(({ name }) => name === listener.name)
    if (!endpoint) return []
    return [{ id, host: endpoint.host, port: endpoint.port, rack, isFenced }]
  })
}
