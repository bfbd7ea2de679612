// docs/benchmarks.md, and the files that it is made from.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { keptResults, number, pages, renderPage } from '../../../bench/peers/page.ts'
import {
  type BenchResult,
  loadResult,
  resultText,
  saveResult,
} from '../../../bench/peers/result.ts'

const result: BenchResult = {
  schema: 1,
  bench: 'peers',
  title: 'Beside others',
  command: 'npm run bench:peers',
  startedAt: '2026-01-02T03:04:05.000Z',
  minutes: 12.3,
  rounds: 3,
  scale: 1,
  machine: {
    ...{ processor: 'Abacus', cores: 2, memoryGib: 24, system: 'Linux 7', fileSystem: 'ext4' },
    ...{ versions: { kafka: '4.3.1', bun: '1.4.5' }, loadBefore: 0.3 },
  },
  limits: [{ name: 'write(2)', unit: 'MiB/s', values: [1500, 1400, 1600] }],
  cases: [
    {
      ...{ name: 'java-100b', title: '100 B', group: 'Produce' },
      sides: [
        {
          ...{ name: 'kafka', title: 'Kafka', failures: [] },
          rounds: [{ cpuPerMillion: 2, p99Us: 5000 }, { cpuPerMillion: 3 }, { cpuPerMillion: 4 }],
        },
        {
          ...{ name: 'millrace', title: 'Millrace', failures: ['the client | hung'] },
          rounds: [{ cpuPerMillion: 1 }, { cpuPerMillion: 1.5 }, null],
        },
      ],
      targets: [
        {
          ...{ metric: 'cpuPerMillion', of: 'millrace', over: 'kafka' },
          ...{ comparison: '<=', limit: 0.6, note: 'both warm' },
        },
        { metric: 'startMs', of: 'millrace', comparison: '<=', limit: 5 },
        { metric: 'p99Us', of: 'kafka', comparison: '<=', limit: 4000 },
      ],
    },
  ],
}

test('The benchmarks page is what the kept results make of it', () => {
  const { actual, expected } = pages()
  expect(actual).toBe(expected)
})

test('Kept results are of this schema, and of full size', () => {
  for (const { bench, schema, scale, cases } of keptResults()) {
    expect({ bench, schema, isFull: scale >= 1, isEmpty: cases.length === 0 }).toEqual({
      ...{ bench, schema: 1, isFull: true, isEmpty: false },
    })
  }
})

test('renderPage() shows medians with their range, targets with their verdict, and failures', () => {
  const page = renderPage([result])
  expect(page).toContain('| write(2) | 1500 (1400 to 1600) MiB/s |')
  expect(page).toContain('1 of 3 hit, 1 missed, 1 not measured.')
  expect(page).toContain(
    '| java-100b | CPU s / M records, millrace ÷ kafka ≤ 0.6 | 0.5× | hit | both warm |',
  )
  expect(page).toContain('| java-100b | first answer ms, millrace ≤ 5 | – | **not measured** |  |')
  expect(page).toContain('| java-100b | p99 ms, kafka ≤ 4 | 5 | **missed** |  |')
  expect(page).toContain('| java-100b | Kafka | 3 (2 to 4) | 5 |  |')
  expect(page).toContain('|  | Millrace | 1.25 (1 to 1.5) | – | 1 of 3 failed: the client / hung |')
  expect(page).toContain('2 × Abacus, 24 GiB, Linux 7, ext4; kafka 4.3.1, bun 1.4.5')
})

test('renderPage() calls a run of less than the full size or three rounds a trial', () => {
  expect(renderPage([result])).not.toContain('**A trial**')
  expect(renderPage([{ ...result, scale: 0.5 }])).toContain('**A trial**')
  expect(renderPage([{ ...result, rounds: 2 }])).toContain('**A trial**')
})

test('renderPage() says so when nothing is kept', () => {
  expect(renderPage([])).toContain('Nothing is recorded yet')
})

test('saveResult() writes what loadResult() reads, five digits of each number', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-result-'))
  try {
    const path = join(folder, 'deep/peers.json')
    const precise = { ...result, minutes: 12.345678 }
    saveResult(path, precise)
    expect(loadResult(path)).toEqual({ ...precise, minutes: 12.346 })
    saveResult(path, { ...result, schema: 2 as 1 })
    expect(() => loadResult(path)).toThrow('has the schema 2, not 1')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('resultText() puts a round on one line', () => {
  expect(resultText(result)).toContain('{ "cpuPerMillion": 2, "p99Us": 5000 }')
})

test.each([
  [0, '0'],
  [0.123456, '0.123'],
  [12.345, '12.3'],
  [1234.5, '1235'],
  [1234567.8, '1,234,568'],
])('number(%d) is %s', (value, text) => {
  expect(number(value)).toBe(text)
})
