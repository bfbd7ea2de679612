// How many connections there may be: together, and from one address.

/** The limits. Infinity is none. */
export interface ConnectionLimitOptions {
  readonly maxConnections: number
  readonly maxPerAddress: number
  /** Limits of single addresses that count instead of `maxPerAddress`. */
  readonly perAddress: ReadonlyMap<string, number>
}

/** Counts connections by address. */
export class ConnectionLimits {
  readonly #options: ConnectionLimitOptions
  readonly #byAddress = new Map<string, number>()
  #count = 0

  constructor(options: ConnectionLimitOptions) {
    this.#options = options
  }

  /** Counts one more connection; gives the sentence to refuse it with instead when that is one too many. */
  add(address: string): string | undefined {
    const { maxConnections, maxPerAddress, perAddress } = this.#options
    const fromAddress = this.#byAddress.get(address) ?? 0
    const limit = perAddress.get(address) ?? maxPerAddress
    if (this.#count >= maxConnections) return `max.connections is ${maxConnections}`
    if (fromAddress >= limit) return `max.connections.per.ip is ${limit}`
    this.#count++
    this.#byAddress.set(address, fromAddress + 1)
    return undefined
  }

  remove(address: string): void {
    this.#count--
    const left = (this.#byAddress.get(address) ?? 1) - 1
    if (left > 0) this.#byAddress.set(address, left)
    else this.#byAddress.delete(address)
  }
}
