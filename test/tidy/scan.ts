// Reads TypeScript as text: what is code, what is comment or string, and what a file imports.

/** A source text in two forms of the same length, line by line and column by column. */
export interface Scanned {
  /** Comments blanked out, strings kept. */
  readonly withoutComments: string
  /** Comments and the inside of strings, templates and regular expressions blanked out. */
  readonly code: string
}

/** Separates code from comments and strings. A `/` is taken for a regular expression where no value can stand before it. */
export function scan(text: string): Scanned {
  const withoutComments = [...text.split('')]
  const code = [...withoutComments]
  const blank = (from: number, to: number, target: string[]) => {
    for (let at = from; at < to; at++) if (target[at] !== '\n') target[at] = ' '
  }
  /** One entry per template that is open around the current position: the depth of braces inside its `${`. */
  const templates: number[] = []
  let at = 0
  while (at < text.length) {
    const start = at
    const end = tokenEnd(text, at, templates)
    at = end.at
    if (end.kind === 'comment') blank(start, at, withoutComments)
    if (end.kind !== 'code') blank(start + end.keepFirst, at - end.keepLast, code)
  }
  return { withoutComments: withoutComments.join(''), code: code.join('') }
}

interface Token {
  readonly at: number
  readonly kind: 'code' | 'comment' | 'string'
  readonly keepFirst: number
  readonly keepLast: number
}

const token = (at: number, kind: Token['kind'], keepFirst = 0, keepLast = 0): Token => ({
  at,
  kind,
  keepFirst,
  keepLast,
})

function tokenEnd(text: string, at: number, templates: number[]): Token {
  const two = text.slice(at, at + 2)
  const one = text[at] ?? ''
  if (two === '//' || (at === 0 && two === '#!')) return token(upTo(text, '\n', at), 'comment')
  if (two === '/*') return token(upTo(text, '*/', at + 2) + 2, 'comment')
  if (one === "'" || one === '"') return token(closing(text, at, one), 'string', 1, 1)
  if (one === '`') return templatePart(text, at, templates)
  const depth = templates.at(-1)
  if (one === '}' && depth === 0) {
    templates.pop()
    return templatePart(text, at, templates)
  }
  if (depth !== undefined && (one === '{' || one === '}'))
    templates[templates.length - 1] = depth + (one === '{' ? 1 : -1)
  if (one === '/' && /(?:^|[(,=:[!&|?{};\n>]|\breturn)\s*$/.test(text.slice(0, at).slice(-40)))
    return token(closing(text, at, '/'), 'string', 1, 1)
  return token(at + 1, 'code')
}

/** From a backtick, or from the brace that ends a `${…}`, to the next `${` or the closing backtick. */
function templatePart(text: string, start: number, templates: number[]): Token {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at += 1
    else if (text[at] === '`') return token(at + 1, 'string', 1, 1)
    else if (text.slice(at, at + 2) === '${') {
      templates.push(0)
      return token(at + 2, 'string', 1, 2)
    }
  }
  return token(text.length, 'string')
}

function upTo(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from)
  return found === -1 ? text.length : found
}

function closing(text: string, start: number, quote: string): number {
  let isInClass = false
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at += 1
    else if (text[at] === '\n') return at
    else if (quote === '/' && text[at] === '[') isInClass = true
    else if (quote === '/' && text[at] === ']') isInClass = false
    else if (text[at] === quote && !isInClass) return at + 1
  }
  return text.length
}

/** The specifiers that a file imports: static, dynamic and type imports, re-exports, and files named by `new URL(…, import.meta.url)`. */
export function importsOf(text: string): string[] {
  const { withoutComments, code } = scan(text)
  const found = []
  for (const match of code.matchAll(
    /(?:\bfrom\s*|\bimport\s*|\bimport\s*\(\s*|\bnew URL\(\s*)(['"])\s*['"]/g,
  )) {
    const open = match.index + match[0].indexOf(match[1] ?? '')
    const specifier = withoutComments.slice(open + 1, match.index + match[0].length - 1)
    if (!match[0].startsWith('new URL') || specifier.endsWith('.ts')) found.push(specifier)
  }
  return found
}
