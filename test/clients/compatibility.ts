// The page docs/compatibility.md, rendered from what the tests saw and keep in seen.json.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { apiName } from './api-names.ts'
import type { VersionRange } from './api-versions.ts'
import type { Comparison } from './comparison.ts'
import { knownDifferences } from './known-differences.ts'
import type { SeenVersions } from './recorder.ts'

/** What is kept of one client. */
interface SeenClient {
  readonly title: string
  readonly scenarios: readonly string[]
  /** By API key: the versions that it asked us for. */
  readonly versions: Readonly<Record<string, readonly number[]>>
}

/** What is kept of all runs. */
interface Seen {
  /** By API key. */
  kafka: Record<string, VersionRange>
  millrace: Record<string, VersionRange>
  clients: Record<string, SeenClient>
}

const seenFile = fileURLToPath(new URL('seen.json', import.meta.url))
const pageFile = fileURLToPath(new URL('../../docs/compatibility.md', import.meta.url))

/** Whether this run may change what is kept: UPDATE_COMPATIBILITY=1. Otherwise it must agree with it. */
export const isUpdate = process.env['UPDATE_COMPATIBILITY'] === '1'

/** What to do when it does not. */
export const toUpdate =
  'Run this test with UPDATE_COMPATIBILITY=1 to write docs/compatibility.md anew'

/** Keeps what a client's run showed, and writes the page anew. */
export function keepClient(name: string, title: string, comparison: Comparison): void {
  const seen = load()
  const versions: [string, number[]][] = [...comparison.versions]
    .toSorted(([a], [b]) => a - b)
    .map(([key, set]) => [String(key), [...set].toSorted((a, b) => a - b)])
  const scenarios = comparison.scenarios
  seen.clients[name] = { title, scenarios, versions: Object.fromEntries(versions) }
  save(seen)
}

/** Keeps which APIs the brokers serve, and writes the page anew. */
export function keepRanges(
  kafka: ReadonlyMap<number, VersionRange>,
  millrace: ReadonlyMap<number, VersionRange>,
): void {
  const seen = load()
  seen.kafka = Object.fromEntries(kafka)
  seen.millrace = Object.fromEntries(millrace)
  save(seen)
}

/** The APIs with their versions that are not yet on the page: `0 Produce v9`. */
export function missingFromPage(name: string, versions: SeenVersions): string[] {
  const kept = load().clients[name]?.versions ?? {}
  return [...versions].flatMap(([key, set]) =>
    [...set]
      .filter((version) => !kept[key]?.includes(version))
      .map((version) => `${key} ${apiName(key)} v${version}`),
  )
}

/** What the page says that we serve. */
export const rangesOnPage = (): Record<string, VersionRange> => load().millrace

/** The page as it is, and as it should be. */
export function pages(): { actual: string; expected: string } {
  return { actual: readFileSync(pageFile, 'utf8'), expected: render(load()) }
}

function load(): Seen {
  try {
    return JSON.parse(readFileSync(seenFile, 'utf8'))
  } catch {
    return { kafka: {}, millrace: {}, clients: {} }
  }
}

function save(seen: Seen): void {
  const clients = Object.fromEntries(
    Object.entries(seen.clients).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
  const text = JSON.stringify({ ...seen, clients }, undefined, 2)
  // As the formatter has them: arrays of numbers on one line, and others that fit.
  const short = text.replace(/^(.*)\[\n([^[\]{}]+?)\n\s+\](,?)$/gm, (all, start, list, end) => {
    const line = `${start}[${list.trim().replace(/\n\s+/g, ' ')}]${end}`
    return line.length <= 100 || /^[-\d,\s]+$/.test(list) ? line : all
  })
  writeFileSync(seenFile, `${short}\n`)
  writeFileSync(pageFile, render(seen))
}

function render(seen: Seen): string {
  const clients = Object.entries(seen.clients)
  const keys = Object.keys(seen.kafka).map(Number)
  const columns = Object.entries(Object.groupBy(clients, ([name]) => name.replace(/-groups$/, '')))
  const heading = ['API', 'Kafka 4.3.1', 'Millrace', ...columns.map(([name]) => name)]
  const rows = keys
    .toSorted((a, b) => a - b)
    .map((key) => [
      `${key} ${apiName(key)}`,
      range(seen.kafka[key]),
      range(seen.millrace[key]),
      ...columns.map(([, parts = []]) => {
        const used = new Set(parts.flatMap(([, { versions }]) => versions[key] ?? []))
        return [...used].toSorted((a, b) => a - b).join(', ')
      }),
    ])
  return `<!-- Made by test/clients: UPDATE_COMPATIBILITY=1 npm test test/clients. Changes by hand are lost. -->
# Compatibility

Real clients go through the same scenarios against Apache Kafka 4.3.1 and against Millrace. Every field of what they see
must be the same; what differs stands below, with the reason, and anything else fails a test. So do scripts of raw
requests (raw): every admin and group API in all its versions, rightly and wrongly.

## Clients

| name | client | scenarios |
|---|---|---|
${clients.map(([name, { title, scenarios }]) => `| ${name} | ${title} | ${scenarios.join(', ')} |`).join('\n')}

## APIs and versions

The versions that each side serves, and those that each client was seen to use in its scenarios. An API that is not
served is not announced, so that clients know.

${[heading, heading.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')}

## Known differences

| client | scenario | reason |
|---|---|---|
${knownDifferences.map(({ client, scenario, reason }) => `| ${plain(client)} | ${plain(scenario)} | ${reason} |`).join('\n')}
`
}

const range = (versions: VersionRange | undefined): string =>
  versions === undefined ? '' : `${versions[0]}–${versions[1]}`

/** A pattern for people: \`^java(-tools)?$` is `java, java-tools`; one that matches everything is \`all\`. */
function plain(pattern: RegExp): string {
  if (pattern.source === '^') return 'all'
  const text = pattern.source.replace(/^\^|\$$/g, '')
  const optional = /^(.*)\((.*)\)\?$/.exec(text)
  if (optional) return `${optional[1]}, ${optional[1]}${optional[2]}`
  return text.replace(/[()]/g, '').replaceAll('|', ', ')
}
