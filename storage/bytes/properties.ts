// Java's `.properties` text: `key=value` lines, comments, continued lines, escapes. For `meta.properties` and
// `server.properties`.

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }
const UNESCAPES: Readonly<Record<string, string>> = {
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\f': '\\f',
}

/** One `key=value` of a properties file. */
export interface Property {
  readonly key: string
  readonly value: string
  /** Counted from 1; of its first line, when it is continued over several. */
  readonly line: number
}

/** Reads properties as `java.util.Properties.load` does: comments, continued lines, escapes. Keys may come twice. */
export function* readProperties(text: string): Generator<Property> {
  for (const { content, line } of logicalLines(text.replace(/^\uFEFF/, ''))) {
    // The key ends at the first unescaped `=`, `:` or white space.
    const match = /^((?:\\[\s\S]|[^\\=: \t\f])*)[ \t\f]*[=:]?[ \t\f]*([\s\S]*)$/.exec(content)
    if (match)
      yield { key: unescapeText(match[1] ?? ''), value: unescapeText(match[2] ?? ''), line }
  }
}

/** Reads properties into a map. A key that comes twice has its last value, as in Java. */
export function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>()
  for (const { key, value } of readProperties(text)) properties.set(key, value)
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
function* logicalLines(text: string): Generator<{ content: string; line: number }> {
  let joined: string | undefined
  let line = 0
  for (const [index, natural] of text.split(/\r\n|\r|\n/).entries()) {
    const content = natural.replace(/^[ \t\f]+/, '')
    if (joined === undefined) {
      if (content === '' || /^[#!]/.test(content)) continue
      line = index + 1
    }
    joined = (joined ?? '') + content
    // An odd number of backslashes at the end continues the line.
    if (((/\\*$/.exec(content)?.[0].length ?? 0) & 1) === 1) {
      joined = joined.slice(0, -1)
      continue
    }
    yield { content: joined, line }
    joined = undefined
  }
  if (joined) yield { content: joined, line }
}

function unescapeText(text: string): string {
  return text.replace(/\\(?:u([\da-fA-F]{4})|([\s\S])|$)/g, (_, unicode, character) =>
    unicode
      ? String.fromCharCode(Number.parseInt(unicode, 16))
      : (ESCAPES[character] ?? character ?? ''),
  )
}

function withEscapes(text: string, special: RegExp): string {
  return text.replace(special, (character) => UNESCAPES[character] ?? `\\${character}`)
}
