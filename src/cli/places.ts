// Places in a partition as users write them.

/** A part of a query: `earliest`, `latest`, an offset or -N, or a time in milliseconds. */
export type Place = { readonly offset: string } | { readonly timestamp: string }

/** `beginning`, `end`, an offset, -N for the last N, `@` and milliseconds, or a time as ISO 8601 writes it; else undefined. */
export function parsePlace(text: string): Place | undefined {
  if (text === 'beginning' || text === 'earliest') return { offset: 'earliest' }
  if (text === 'end' || text === 'latest') return { offset: 'latest' }
  if (/^-?\d{1,16}$/.test(text)) return { offset: text }
  if (/^@-?\d{1,18}$/.test(text)) return { timestamp: text.slice(1) }
  const time = /^\d{4}-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(time) ? undefined : { timestamp: String(time) }
}
