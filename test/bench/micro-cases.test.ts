// The micro benches run: once each, which tells nothing about their speed.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { microCases } from '../../bench/micro-cases.ts'

test('Every micro bench runs, twice, and has a name of its own', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-micro-'))
  try {
    const { cases, end } = await microCases(folder)
    for (const { name, call } of cases) {
      expect(Number.isFinite(call()), name).toBe(true)
      expect(Number.isFinite(call()), name).toBe(true)
    }
    await end()
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length)
    expect(cases.length).toBeGreaterThan(15)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
