// Metrics as text for Prometheus.
import { expect, test } from 'vitest'
import { Exposition, type MetricSample } from '../../../src/metrics/exposition.ts'

function sample(name: string, value: number, labels: Record<string, string> = {}): MetricSample {
  return { name, help: `About ${name}`, type: 'gauge', labels, value }
}

async function linesOf(exposition: Exposition): Promise<string[]> {
  const { text } = await exposition.render()
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}

test('Exposition writes names, help, types and labels as Prometheus reads them', async () => {
  const total: MetricSample = { ...sample('b_total', 3), type: 'counter' }
  const exposition = new Exposition(() => [sample('a', 1.5, { topic: 'x"y' }), total])
  const { text, contentType } = await exposition.render()
  expect(contentType).toContain('version=0.0.4')
  expect(text).toContain('# HELP a About a\n# TYPE a gauge\na{topic="x\\"y"} 1.5\n')
  expect(text).toContain('# TYPE b_total counter\nb_total 3\n')
})

test('Exposition shows the value of now at each scrape, and forgets labels that are gone', async () => {
  let samples = [sample('a', 1, { topic: 'x' }), sample('a', 2, { topic: 'y' })]
  const exposition = new Exposition(() => samples)
  expect(await linesOf(exposition)).toEqual(['a{topic="x"} 1', 'a{topic="y"} 2'])
  samples = [sample('a', 5, { topic: 'y' })]
  expect(await linesOf(exposition)).toEqual(['a{topic="y"} 5'])
})

test('Expositions of two brokers in one process do not meet', async () => {
  const first = new Exposition(() => [sample('a', 1)])
  const second = new Exposition(() => [sample('a', 2)])
  expect(await linesOf(first)).toEqual(['a 1'])
  expect(await linesOf(second)).toEqual(['a 2'])
})
