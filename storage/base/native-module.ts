// Packages with native code, which may lack a build for a platform.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** The package called `name`; undefined when it cannot be loaded on this platform. Loads on the first call, not at import. */
export function loadNativeModule<Module>(name: string): Module | undefined {
  try {
    return require(name) as Module
  } catch {
    return undefined
  }
}
