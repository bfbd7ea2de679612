// The rules of style that no linter knows, each a function from a file's text to complaints.
import { scan } from './scan.ts'

/** What must not be used, what to use instead, and where it may be used all the same. */
interface Ban {
  readonly pattern: RegExp
  readonly use: string
  readonly allowed: RegExp
}

const edges =
  /^(storage\/(base|fs)|src\/platform|scripts|test|bench)\/|^main\.ts$|^vitest\.config\.ts$/
const bytesEdges = /^(storage\/fs|src\/platform|scripts|test|bench)\//

const bans: readonly Ban[] = [
  { pattern: /\bDate\.now\b|\bnew Date\(\)/, use: 'Clock.now()', allowed: edges },
  { pattern: /\bperformance\.now\b/, use: 'Clock.monotonic()', allowed: edges },
  { pattern: /\bset(Timeout|Interval|Immediate)\b/, use: 'Clock.after()', allowed: edges },
  {
    pattern: /\bMath\.random\b|\bcrypto\.(randomUUID|getRandomValues)\b/,
    use: 'Random',
    allowed: edges,
  },
  {
    pattern: /\bBuffer\b(?!\.)|\bBuffer\.\w/,
    use: 'Uint8Array and storage/bytes',
    allowed: bytesEdges,
  },
  { pattern: /\b(Bun|Deno)\.\w/, use: 'an adapter of src/platform or storage/fs', allowed: edges },
  { pattern: /\bprocess\.\w/, use: 'src/platform/process', allowed: edges },
  { pattern: /\bconsole\.\w/, use: 'what src/platform/process writes to', allowed: edges },
]

/** Uses of what is banned in this place, each with its replacement. */
export function banned(path: string, text: string): string[] {
  const { code } = scan(text)
  return code
    .split('\n')
    .flatMap((line, index) =>
      bans
        .filter(({ pattern, allowed }) => pattern.test(line) && !allowed.test(path))
        .map(({ pattern, use }) => `line ${index + 1}: ${pattern.exec(line)?.[0]}: use ${use}`),
    )
}

/** Built-in modules that this file may not import. */
export function bannedModule(path: string, specifier: string): string | undefined {
  if (!/^(node|bun):|^bun$/.test(specifier) || edges.test(path)) return undefined
  if (specifier === 'node:zlib' && path.startsWith('storage/batch/compression/')) return undefined
  return `${specifier}: use Files, Clock, Random or src/platform`
}

/** Exports without a doc comment. A type that shares the name of a documented value needs none, nor do further overloads. */
export function undocumented(text: string): string[] {
  const lines = text.split('\n')
  const exported =
    /^export (?:declare |abstract |async )*(?:function\*?|class|const|let|interface|type) (\w+)/
  const found: string[] = []
  const seen = new Set<string>()
  for (const [index, line] of lines.entries()) {
    const name = exported.exec(line)?.[1]
    if (name === undefined) continue
    const isDocumented = lines[index - 1]?.trimEnd().endsWith('*/') === true
    if (!isDocumented && !seen.has(name))
      found.push(`line ${index + 1}: ${name} has no doc comment`)
    seen.add(name)
  }
  return found
}

/** Default exports anywhere, and exports of other files' names outside the published library. */
export function exportsOfOthers(path: string, text: string): string[] {
  const { code } = scan(text)
  return code.split('\n').flatMap((line, index) => {
    const where = `line ${index + 1}`
    if (/^export default\b/.test(line) && path !== 'vitest.config.ts')
      return [`${where}: default export`]
    if (/^export (\*|type \*|\{|type \{)/.test(line) && path !== 'mod.ts')
      return [`${where}: exports what another line or file declares`]
    return []
  })
}

/** A missing first line of comment. */
export function opening(text: string): string[] {
  const lines = text.split('\n')
  const first = lines[0]?.startsWith('#!') === true ? lines[1] : lines[0]
  return /^\/\/ \S/.test(first ?? '') ? [] : ['does not open with one line of comment']
}

/** Too many lines. */
export function length(text: string): string[] {
  const count = text.trimEnd().split('\n').length
  return count > 500 ? [`has ${count} lines, more than 500`] : []
}

/** Comments that promise work without an issue number. */
export function promises(text: string): string[] {
  return text.split('\n').flatMap((line, index) => {
    const isPromise = /\b(TODO|FIXME|XXX|HACK)\b/.test(line) && !/#\d+/.test(line)
    return isPromise ? [`line ${index + 1}: ${line.trim()}`] : []
  })
}

/** Paths of one machine, and hosts of package registries. */
export function machineTraces(text: string): string[] {
  return text.split('\n').flatMap((line, index) => {
    const trace = /(?<![\w.])\/(?:home|root|Users|work)\/[\w.-]+|https?:\/\/registry\.[\w.-]+/.exec(
      line,
    )
    return trace === null ? [] : [`line ${index + 1}: ${trace[0]}`]
  })
}

/** Links of a Markdown text that lead to files beside it, or to its own headings. */
export function relativeLinks(text: string): { file: string; heading: string }[] {
  const links = text.matchAll(/\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]*))?\)/g)
  return Array.from(links, ([, file = '', heading = '']) => ({ file, heading }))
}

/** The headings of a Markdown text, as links name them. */
export function headings(text: string): string[] {
  const found = text.matchAll(/^#+ (.*)$/gm)
  return Array.from(found, ([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
