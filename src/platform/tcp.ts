// What a TCP adapter gives: listening sockets, and connections that push bytes, take bytes and say when they are full.

/** Where to listen. */
export interface TcpListenOptions {
  /** A name or address; IPv6 addresses without brackets. `''` is every address. */
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /** Pending connections that the system queues. */
  readonly backlog: number
  /** The send buffer of each connection, where it can be set; -1 or nothing leaves it to the system. */
  readonly sendBufferBytes?: number
}

/** One accepted connection. After `closed` every call does nothing. */
export interface TcpConnection {
  /** As text, an IPv4 address never in its IPv6 form. */
  readonly remoteAddress: string
  readonly remotePort: number
  /** The address of this machine that the peer connected to. */
  readonly localAddress: string
  readonly localPort: number
  /**
   * Sends chunks in order. They must hold still until `onTaken`, which is called once: when the system has them all, or
   * the connection is closed. False when bytes are waiting: write no more until `drained`.
   */
  write(chunks: readonly Uint8Array[], onTaken?: () => void): boolean
  /** No `data` until `resume`; what has been received is not lost. */
  pause(): void
  resume(): void
  /** Closes in order: what was written is sent first. */
  end(): void
  /** Closes at once. */
  destroy(): void
}

/** What a connection tells its owner. */
export interface TcpEvents {
  /** The first call. From now on the connection may be used; it is paused. */
  opened(): void
  /** Bytes have come. They belong to the owner from now on. */
  data(bytes: Uint8Array): void
  /** All that was written has been taken, after a `write` that gave false. */
  drained(): void
  /** The peer sends no more. */
  ended(): void
  /** It is over, for whatever reason. The last call. */
  closed(): void
}

/** A listening socket. */
export interface TcpListener {
  /** What it listens with. */
  readonly adapter: 'node:net' | 'Bun.listen'
  readonly host: string
  readonly port: number
  /** Accepts no more and frees the port. Connections stay. */
  close(): Promise<void>
}

/** Listens; `accept` is asked for the owner of each new connection. Throws a plain Error with a clear sentence when the address can't be had. */
export type TcpListen = (
  options: TcpListenOptions,
  accept: (connection: TcpConnection) => TcpEvents,
) => Promise<TcpListener>

const IPV4_IN_IPV6 = '::ffff:'

/** An address as users write it: an IPv4 peer of an IPv6 socket has its IPv4 form. */
export function plainAddress(address = ''): string {
  return address.startsWith(IPV4_IN_IPV6) ? address.slice(IPV4_IN_IPV6.length) : address
}
