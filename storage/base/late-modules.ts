// Modules that a broker needs late or never: loaded at the first call, since each takes memory and delays the start.
import { closeSync, openSync } from 'node:fs'
import { createRequire } from 'node:module'
import { devNull } from 'node:os'

const require = createRequire(import.meta.url)

/** An `import()` has a few files open at a time. */
const SPARE_DESCRIPTORS = 16

const spares: number[] = []
let mayHoldSpares = false
let loads = 0

/**
 * Sets descriptors aside for late loads: a process that has none left would fail them, and neither Bun nor Deno tries a
 * module again that it could not read once. For a process that is a broker; one that embeds brokers has its own limits.
 */
export function holdSpareDescriptors(): void {
  mayHoldSpares = true
  if (loads > 0) return
  try {
    while (spares.length < SPARE_DESCRIPTORS) spares.push(openSync(devNull, 'r'))
  } catch {
    // There are none left at the moment: the next load sets aside what it can.
  }
}

/**
 * What gives modules that `load` imports: the first call loads them, with the descriptors that were set aside, later ones get
 * the same. After a failure the next call loads again, which helps on Node alone.
 */
export function lateModule<Module>(load: () => Promise<Module>): () => Promise<Module> {
  let loading: Promise<Module> | undefined
  return () => {
    loading ??= withSpareDescriptors(load).catch((error: unknown) => {
      loading = undefined
      throw error
    })
    return loading
  }
}

async function withSpareDescriptors<Module>(load: () => Promise<Module>): Promise<Module> {
  loads += 1
  for (const fd of spares.splice(0)) closeSync(fd)
  try {
    return await load()
  } finally {
    loads -= 1
    if (mayHoldSpares) holdSpareDescriptors()
  }
}

/** The package called `name`. Throws when it is not installed. */
export function loadPackage<Module>(name: string): Module {
  return require(name) as Module
}

/** `node:zlib`, which brings all of the runtime's streams along. */
export function loadZlib(): typeof import('node:zlib') {
  return process.getBuiltinModule('node:zlib')
}

/** `node:worker_threads`, which does so too. */
export function loadWorkerThreads(): typeof import('node:worker_threads') {
  return process.getBuiltinModule('node:worker_threads')
}
