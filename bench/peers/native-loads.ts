// The loads that are compiled: the raw client in Go, and the one on librdkafka in C. Built into the git-ignored work folder.
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isInstalled } from './child.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))
const work = fileURLToPath(new URL('../../.work/bench', import.meta.url))

/** A program that was built, or why it was not. */
export type Built = { readonly path: string } | { readonly absence: string }

function build(program: string, argv: readonly string[], name: string, cwd: string): Built {
  mkdirSync(work, { recursive: true })
  const path = join(work, name)
  const { error, status, stderr } = spawnSync(program, [...argv.map((word) => word || path)], {
    cwd,
    encoding: 'utf8',
  })
  if (error !== undefined) return { absence: `no ${program} on this machine` }
  return status === 0 ? { path } : { absence: `${program} failed: ${stderr.trim().slice(-300)}` }
}

/** The raw client; needs Go. */
export function buildRaw(): Built {
  if (!isInstalled('go', 'version')) return { absence: 'no Go on this machine' }
  return build('go', ['build', '-o', '', '.'], 'raw', join(folder, 'raw'))
}

/** The load on librdkafka; needs gcc and the library, not its headers. */
export function buildRdkafka(): Built {
  if (!isInstalled('gcc', '--version')) return { absence: 'no gcc on this machine' }
  return build('gcc', ['-O2', '-o', '', 'rdkafka.c', '-l:librdkafka.so.1'], 'rdkafka', folder)
}
