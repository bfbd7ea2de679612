// Finds the pieces of a JSON text without changing a character of them: numbers keep all their digits.

/**
 * The raw texts of an object's members by name; the last of equal names wins, as with JSON.parse.
 * The text must be one that JSON.parse accepts.
 */
export function objectMembers(text: string): Map<string, string> {
  const members = new Map<string, string>()
  let at = skipSpace(text, text.indexOf('{') + 1)
  while (text[at] === '"') {
    const nameEnd = endOfString(text, at)
    const name = String(JSON.parse(text.slice(at, nameEnd)))
    const start = skipSpace(text, text.indexOf(':', nameEnd) + 1)
    const end = endOfValue(text, start)
    members.set(name, text.slice(start, end))
    at = nextItem(text, end)
  }
  return members
}

/** The raw texts of an array's elements. The text must be one that JSON.parse accepts. */
export function arrayElements(text: string): string[] {
  const elements: string[] = []
  let at = skipSpace(text, text.indexOf('[') + 1)
  while (text[at] !== ']') {
    const end = endOfValue(text, at)
    elements.push(text.slice(at, end))
    at = nextItem(text, end)
  }
  return elements
}

/** The position of the next member or element behind a value, or of the bracket that ends it all. */
function nextItem(text: string, end: number): number {
  const at = skipSpace(text, end)
  return text[at] === ',' ? skipSpace(text, at + 1) : at
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (isSpace(text.charCodeAt(at))) at += 1
  return at
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}

function endOfValue(text: string, start: number): number {
  const first = text[start]
  if (first === '"') return endOfString(text, start)
  if (first === '{' || first === '[') return endOfNested(text, start)
  let at = start
  while (at < text.length && !',}]'.includes(text[at] ?? '') && !isSpace(text.charCodeAt(at))) {
    at += 1
  }
  return at
}

function endOfNested(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) at = endOfString(text, at) - 1
    else if (code === 0x7b || code === 0x5b) depth += 1
    else if ((code === 0x7d || code === 0x5d) && --depth === 0) return at + 1
  }
  return text.length
}

/** The position behind a string's closing quote: the first one with an even number of backslashes before it. */
function endOfString(text: string, start: number): number {
  let quote = text.indexOf('"', start + 1)
  while (quote > 0) {
    let before = quote - 1
    while (text[before] === '\\') before -= 1
    if ((quote - before) % 2 === 1) return quote + 1
    quote = text.indexOf('"', quote + 1)
  }
  return text.length
}
