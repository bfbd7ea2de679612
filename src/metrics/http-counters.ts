// Plain counters of the HTTP door, kept as it works and read at scrape time.

interface Counted {
  readonly method: string
  readonly status: number
  count: number
}

/** Requests answered, by method and status. Bounded by the methods and statuses that there are. */
export class HttpCounters {
  readonly #requests = new Map<number, Map<string, Counted>>()

  /** Counts one answer. Methods that no route has are counted together. */
  count(method: string, status: number): void {
    const known = KNOWN_METHODS.has(method) ? method : 'OTHER'
    let methods = this.#requests.get(status)
    if (methods === undefined) {
      methods = new Map()
      this.#requests.set(status, methods)
    }
    const counted = methods.get(known)
    if (counted === undefined) methods.set(known, { method: known, status, count: 1 })
    else counted.count += 1
  }

  /** The counts so far. */
  requests(): readonly Readonly<Counted>[] {
    return [...this.#requests.values()].flatMap((methods) => [...methods.values()])
  }
}

const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
