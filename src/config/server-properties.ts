// Java's `.properties` text with line numbers, so that an error can say where a key stands.

/** One `key=value` of a properties file. */
export interface Property {
  readonly key: string
  readonly value: string
  /** Counted from 1; of its first line, when it is continued over several. */
  readonly line: number
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }

/** Reads properties as `java.util.Properties.load` does: comments, continued lines, escapes. Keys may come twice. */
export function* readProperties(text: string): Generator<Property> {
  for (const { content, line } of logicalLines(text.replace(/^\uFEFF/, ''))) {
    // The key ends at the first unescaped `=`, `:` or white space.
    const match = /^((?:\\[\s\S]|[^\\=: \t\f])*)[ \t\f]*[=:]?[ \t\f]*([\s\S]*)$/.exec(content)
    if (match)
      yield { key: unescapeText(match[1] ?? ''), value: unescapeText(match[2] ?? ''), line }
  }
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
