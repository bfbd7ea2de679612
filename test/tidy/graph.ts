// The files of the repository and what they import of each other.
import { posix } from 'node:path'
import { importsOf } from './scan.ts'

/** One import statement. `to` is a path from the root; undefined for packages and built-in modules. */
export interface Import {
  readonly specifier: string
  readonly to: string | undefined
}

/** Paths from the root, each with its imports. */
export type Graph = ReadonlyMap<string, readonly Import[]>

/**
 * The import graph of sources, given the `imports` map of package.json. A name with conditions (one file per runtime)
 * counts as an import of every file that it may stand for.
 */
export function graphOf(
  sources: ReadonlyMap<string, string>,
  aliases: Readonly<Record<string, string | Readonly<Record<string, string>>>>,
): Graph {
  const graph = new Map<string, Import[]>()
  for (const [path, text] of sources) {
    const imports = importsOf(text).flatMap((specifier): Import[] => {
      const targets = resolve(path, specifier, aliases)
      return targets.length === 0
        ? [{ specifier, to: undefined }]
        : targets.map((to) => ({ specifier, to }))
    })
    graph.set(path, imports)
  }
  return graph
}

function resolve(
  from: string,
  specifier: string,
  aliases: Readonly<Record<string, string | Readonly<Record<string, string>>>>,
): string[] {
  if (specifier.startsWith('.')) return [posix.join(posix.dirname(from), specifier)]
  if (!specifier.startsWith('#')) return []
  const exact = aliases[specifier]
  if (exact !== undefined)
    return (typeof exact === 'string' ? [exact] : Object.values(exact)).map((path) =>
      posix.join(path),
    )
  const folder = `${specifier.split('/')[0]}/*`
  const target = aliases[folder]
  if (typeof target !== 'string') return [`${specifier} (in no map)`]
  return [posix.join(target.replace('*', specifier.slice(folder.length - 1)))]
}

/** The files that no chain of imports reaches from the roots. */
export function unreached(graph: Graph, roots: readonly string[]): string[] {
  const reached = new Set<string>()
  const waiting = [...roots]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path)) continue
    reached.add(path)
    for (const { to } of graph.get(path) ?? []) if (to !== undefined) waiting.push(to)
  }
  return [...graph.keys()].filter((path) => !reached.has(path))
}

/** Imports of files that do not exist, as `file → import`. */
export function dangling(graph: Graph): string[] {
  return edgesOf(graph)
    .filter(([, to]) => to.endsWith('.ts') && !graph.has(to))
    .map(([from, to]) => `${from} → ${to}`)
}

/** One cycle of imports, types included, as the files along it; undefined when there is none. */
export function cycle(graph: Graph): string[] | undefined {
  const done = new Set<string>()
  const trail: string[] = []
  const visit = (path: string): string[] | undefined => {
    const at = trail.indexOf(path)
    if (at !== -1) return [...trail.slice(at), path]
    if (done.has(path)) return undefined
    trail.push(path)
    for (const { to } of graph.get(path) ?? []) {
      const found = to === undefined ? undefined : visit(to)
      if (found !== undefined) return found
    }
    trail.pop()
    done.add(path)
    return undefined
  }
  for (const path of graph.keys()) {
    const found = visit(path)
    if (found !== undefined) return found
  }
  return undefined
}

const edgesOf = (graph: Graph): [string, string][] =>
  [...graph].flatMap(([from, imports]) =>
    imports.flatMap(({ to }): [string, string][] => (to === undefined ? [] : [[from, to]])),
  )
