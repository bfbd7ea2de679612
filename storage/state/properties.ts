// Java's `.properties` text: `key=value` lines, comments, continued lines, escapes.

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }
const UNESCAPES: Readonly<Record<string, string>> = {
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\f': '\\f',
}

/** Reads properties as `java.util.Properties.load` does. A key that comes twice has its last value. */
export function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>()
  for (const line of logicalLines(text)) {
    // The key ends at the first unescaped `=`, `:` or white space.
    const match = /^((?:\\.|[^\\=: \t\f])*)[ \t\f]*[=:]?[ \t\f]*(.*)$/s.exec(line)
    if (match) properties.set(resolveEscapes(match[1] ?? ''), resolveEscapes(match[2] ?? ''))
  }
  return properties
}

/** Writes properties one a line, escaped as `java.util.Properties.store` does, but without its comment of the date. */
export function serializeProperties(properties: ReadonlyMap<string, string>): string {
  let text = ''
  for (const [key, value] of properties) {
    const escapedValue = withEscapes(value, /[\\=:#!\t\n\r\f]|^ /g)
    text += `${withEscapes(key, /[\\=:#! \t\n\r\f]/g)}=${escapedValue}\n`
  }
  return text
}

/** Lines without comments and leading white space, continuations joined. */
function* logicalLines(text: string): Generator<string> {
  let joined: string | undefined
  for (const natural of text.split(/\r\n|\r|\n/)) {
    const line = natural.replace(/^[ \t\f]+/, '')
    if (joined === undefined && (line === '' || /^[#!]/.test(line))) continue
    joined = (joined ?? '') + line
    // An odd number of backslashes at the end continues the line.
    if (((/\\*$/.exec(line)?.[0].length ?? 0) & 1) === 1) {
      joined = joined.slice(0, -1)
      continue
    }
    yield joined
    joined = undefined
  }
  if (joined) yield joined
}

function resolveEscapes(text: string): string {
  return text.replace(/\\(?:u([\da-fA-F]{4})|(.))/gs, (_, unicode, character) =>
    unicode ? String.fromCharCode(Number.parseInt(unicode, 16)) : (ESCAPES[character] ?? character),
  )
}

function withEscapes(text: string, special: RegExp): string {
  return text.replace(special, (character) => UNESCAPES[character] ?? `\\${character}`)
}
