// Deno without --allow-ffi: files work, maps and Kafka's lock do not, and nobody is asked for permission.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const script = fileURLToPath(new URL('./files-report.ts', import.meta.url))

test.skipIf(!('Deno' in globalThis) || process.platform !== 'linux').each([
  { flags: ['-A', '--no-prompt'], report: 'wrote 3, mapped true, locked true, seen by Kafka true' },
  {
    flags: [
      '--allow-read',
      '--allow-write',
      '--allow-env',
      '--allow-sys',
      '--allow-run',
      '--no-prompt',
    ],
    report: 'wrote 3, mapped false, locked true, seen by Kafka false',
  },
])('createNodeFiles() on Deno with $flags reports: $report', ({ flags, report }) => {
  const directory = mkdtempSync(`${tmpdir()}/millrace-ffi-`)
  const { stdout, stderr } = spawnSync(process.execPath, [
    'run',
    '--quiet',
    ...flags,
    script,
    directory,
  ])
  rmSync(directory, { recursive: true })
  expect(`${stderr}`).toBe('')
  expect(`${stdout}`.trim()).toBe(report)
})
