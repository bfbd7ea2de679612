// Metrics as Prometheus reads them. The library is loaded at the first scrape: its import costs tens of ms.
import type { Counter, Gauge, Registry } from 'prom-client'
import { lateModule } from '#storage/base/late-modules.ts'

const library = lateModule(() => import('prom-client'))

/** One value at scrape time. */
export interface MetricSample {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Writes samples as Prometheus text. One per door: many brokers may live in one process. */
export class Exposition {
  readonly #samples: () => readonly MetricSample[]
  readonly #metrics = new Map<string, Gauge | Counter>()
  #registry: Registry | undefined

  /** `samples` is called once for each scrape. */
  constructor(samples: () => readonly MetricSample[]) {
    this.#samples = samples
  }

  /** The text, and the content type that goes with it. */
  async render(): Promise<{ text: string; contentType: string }> {
    const prometheus = await library()
    this.#registry ??= new prometheus.Registry()
    const registry = this.#registry
    for (const metric of this.#metrics.values()) metric.reset()
    for (const sample of this.#samples()) this.#metricOf(sample, prometheus, registry)
    return { text: await registry.metrics(), contentType: registry.contentType }
  }

  #metricOf(
    sample: MetricSample,
    prometheus: typeof import('prom-client'),
    registry: Registry,
  ): void {
    let metric = this.#metrics.get(sample.name)
    if (metric === undefined) {
      const Kind = sample.type === 'counter' ? prometheus.Counter : prometheus.Gauge
      metric = new Kind({
        name: sample.name,
        help: sample.help,
        labelNames: Object.keys(sample.labels),
        registers: [registry],
      })
      this.#metrics.set(sample.name, metric)
    }
    metric.inc(sample.labels, sample.value)
  }
}
