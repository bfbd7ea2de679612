// Two answers to the same question, compared field by field.

/** A field that differs. */
export interface Difference {
  /** The way to it, with dots: `to 2.java-grown.message`. */
  readonly path: string
  /** Kafka's; undefined when it has no such field. */
  readonly kafka: unknown
  readonly millrace: unknown
}

/** Every field in which two decoded JSON values differ, once what no two runs share was taken out of texts. */
export function differences(kafka: unknown, millrace: unknown, path = ''): Difference[] {
  if (isObject(kafka) && isObject(millrace)) {
    const names = new Set([...Object.keys(kafka), ...Object.keys(millrace)])
    return [...names].flatMap((name) =>
      differences(kafka[name], millrace[name], path === '' ? name : `${path}.${name}`),
    )
  }
  if (settled(kafka) === settled(millrace)) return []
  return [{ path, kafka, millrace }]
}

/** Arrays are compared by index: their items' names are numbers. */
function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** A text without ports, long numbers (clocks, bounds that move with them), counts of tries, and paths of scratch folders. */
function settled(value: unknown): unknown {
  if (isObject(value)) return Object.keys(value).length === 0 ? JSON.stringify(value) : value
  if (typeof value !== 'string') return value
  return value
    .replace(/127\.0\.0\.1:\d+/g, 'ADDRESS')
    .replace(/tries=\d+|after \d+ attempt/g, 'TRIES')
    .replace(/-?\d{12,}/g, 'TIME')
    .replace(/\/[\w/.-]*millrace-clients-[\w.-]+(\/(kafka|millrace))?/g, 'FOLDER')
}
