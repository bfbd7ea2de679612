// Modules that a broker needs late or never: loaded at the first call, since each takes memory and delays the start.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

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
