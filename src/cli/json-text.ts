// Takes JSON apart without parsing it, so that no number in a record's value loses a digit.

/** The texts of the members of an object, by name. `text` must be valid JSON. */
export function objectMembers(text: string): Map<string, string> {
  const members = new Map<string, string>()
  for (const part of parts(text, '{')) {
    const nameEnd = stringEnd(part, 0)
    const colon = part.indexOf(':', nameEnd)
    members.set(String(JSON.parse(part.slice(0, nameEnd))), part.slice(colon + 1).trim())
  }
  return members
}

/** The texts of the items of an array. `text` must be valid JSON. */
export function arrayItems(text: string): string[] {
  return [...parts(text, '[')]
}

/** What stands between the commas of an object or an array. */
function* parts(text: string, opening: '{' | '['): Generator<string> {
  let at = text.indexOf(opening) + 1
  let start = at
  let depth = 0
  for (; at < text.length; at++) {
    const character = text[at]
    if (character === '"') at = stringEnd(text, at) - 1
    else if (character === '[' || character === '{') depth++
    else if (depth > 0 && (character === ']' || character === '}')) depth--
    else if (depth === 0 && (character === ',' || character === '}' || character === ']')) {
      const part = text.slice(start, at).trim()
      if (part !== '') yield part
      start = at + 1
      if (character !== ',') return
    }
  }
}

/** The position behind the string that begins at `start`. */
function stringEnd(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}
