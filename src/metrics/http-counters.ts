// Plain counters of the HTTP door, kept as it works and read at scrape time.

/** Requests answered, by method and status. Bounded by the methods and statuses that there are. */
export class HttpCounters {
  readonly #requests = new Map<string, { method: string; status: number; count: number }>()

  /** Counts one answer. Methods that no route has are counted together. */
  count(method: string, status: number): void {
    const known = KNOWN_METHODS.has(method) ? method : 'OTHER'
    const key = `${known} ${status}`
    const entry = this.#requests.get(key)
    if (entry !== undefined) entry.count += 1
    else this.#requests.set(key, { method: known, status, count: 1 })
  }

  /** The counts so far. */
  requests(): readonly { method: string; status: number; count: number }[] {
    return [...this.#requests.values()]
  }
}

const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
