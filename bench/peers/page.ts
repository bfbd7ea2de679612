// The page docs/benchmarks.md, rendered from bench/results/*.json.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { judge, metricOf, type Spread, spread } from './judge.ts'
import { type BenchResult, type CaseResult, loadResult, type SideResult } from './result.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const pageFile = `${root}docs/benchmarks.md`

/** The benches whose results the page shows, in its order: files of bench/results without their ending. */
const shown = ['peers', 'peers-rest', 'runtimes', 'http'] as const

/** The file that a bench's results are kept in. */
export const resultFile = (bench: string): string => `${root}bench/results/${bench}.json`

/** What is kept, in the page's order. */
export function keptResults(): BenchResult[] {
  return shown.map(resultFile).filter(existsSync).map(loadResult)
}

/** The page as it is, and as the kept results make it. */
export function pages(): { actual: string; expected: string } {
  const actual = existsSync(pageFile) ? readFileSync(pageFile, 'utf8') : ''
  return { actual, expected: renderPage(keptResults()) }
}

/** Writes the page anew. */
export function writePage(): void {
  writeFileSync(pageFile, renderPage(keptResults()))
}

/** The page that shows these results. */
export function renderPage(results: readonly BenchResult[]): string {
  const parts = results.map(renderResult).join('\n')
  return `<!-- Made by npm run bench:peers and npm run bench:http from bench/results/*.json. Changes by hand are lost. -->
# Benchmarks

Millrace beside others on one machine, driven by the same clients. Each figure is the median of the rounds, with the lowest and highest
behind it. The sides take turns in every round, and begin in another order in each; each is warmed with half of the load before the first round and with a
quarter of it directly before each run; a ratio is taken within a round, so that what slows a whole round
down counts on both sides. CPU seconds are those of the broker's process (user and system, per million records), which is the steadiest figure on
a machine that others use too; the clients run on the same cores, so records per second are often theirs. What was gained and
where the time goes is told in [performance](performance.md).

- **p50, p99, p99.9**: from sending a request to its answer, in milliseconds; one that was due while earlier ones were still out counts from when it was due.
- **requests, KiB each**: as the client counts them. A broker that answers faster gets smaller batches from a client that does not wait, which costs it CPU.
- **anonymous**: heap and stacks, the most that was seen during the load; **resident** is with the pages of files that are mapped.
- **stall**: how late the event loop was for a timer, at its 99th percentile and at worst, as bounds of a histogram.
${results.length === 0 ? '\nNothing is recorded yet: run `npm run bench:peers`.\n' : `\n${parts}`}`
}

function renderResult(result: BenchResult): string {
  const { title, command, startedAt, minutes, rounds, scale, machine, limits } = result
  const groups = [...Map.groupBy(result.cases, ({ group }) => group)]
  const versions = Object.entries(machine.versions).map((pair) => pair.join(' '))
  const isTrial = scale < 1 || rounds < 3
  return `## ${title}

\`${command}\`, ${startedAt.slice(0, 10)}, ${rounds} rounds, ${minutes.toFixed(0)} minutes. ${machine.cores} × ${machine.processor}, ${machine.memoryGib} GiB, ${machine.system}, ${machine.fileSystem}; ${versions.join(', ')}.
The load average was ${machine.loadBefore} before it began.
${isTrial ? `\n**A trial** with loads of ${scale} times their size: it shows that the bench works, not how fast anything is.\n` : ''}${renderLimits(limits)}
### Targets${ofTitle(result)}

${verdicts(result)}

${table(['', 'target', 'found', '', ''], result.cases.flatMap(targetRows))}
${groups.map(([group, cases]) => renderGroup(`${group}${ofTitle(result)}`, cases)).join('\n')}`
}

/** Headings must differ, or links to them would not. */
const ofTitle = ({ bench }: BenchResult): string => (bench === 'peers' ? '' : `, ${bench}`)

function renderLimits(limits: BenchResult['limits']): string {
  if (limits.length === 0) return ''
  const rows = limits.map(({ name, unit, values }) => [
    name,
    `${withRange(spread(values))} ${unit}`,
  ])
  return `\n${table(['The machine itself, in the same run', ''], rows)}`
}

function verdicts(result: BenchResult): string {
  const all = result.cases.flatMap(judge)
  const count = (verdict: string) => all.filter((one) => one.verdict === verdict).length
  const unmeasured = count('not measured')
  const rest = unmeasured === 0 ? '' : `, ${unmeasured} not measured`
  return `${count('hit')} of ${all.length} hit, ${count('missed')} missed${rest}.`
}

function targetRows(one: CaseResult): string[][] {
  return judge(one).map(({ target, found, verdict }) => {
    const { metric, of, over, comparison, limit, note } = target
    const sign = comparison === '<=' ? '≤' : '≥'
    const column = columns.find((column) => column.metric === metric)
    // A ratio has no unit.
    const [who, name, factor, times] =
      over === undefined
        ? [of, column?.title ?? metric, column?.factor ?? 1, '']
        : [`${of} ÷ ${over}`, column?.title.replace(/^k |,? (ms|MiB|KiB)$/g, '') ?? metric, 1, '×']
    const what = `${name}, ${who} ${sign} ${number(limit * factor)}`
    return [one.name, what, withRange(found, times, factor), bold(verdict), note ?? '']
  })
}

const bold = (verdict: string): string => (verdict === 'hit' ? 'hit' : `**${verdict}**`)

/** What a column shows of a metric, and how. */
interface Column {
  readonly title: string
  readonly metric: string
  readonly factor?: number
}

const columns: readonly Column[] = [
  { title: 'k records/s', metric: 'recordsPerSecond', factor: 1 / 1000 },
  { title: 'MiB/s', metric: 'mibPerSecond' },
  { title: 'CPU s / M records', metric: 'cpuPerMillion' },
  { title: 'requests', metric: 'requests' },
  { title: 'KiB each', metric: 'bytesPerRequest', factor: 1 / 1024 },
  { title: 'batch KiB', metric: 'batchBytes', factor: 1 / 1024 },
  { title: 'p50 ms', metric: 'p50Us', factor: 1 / 1000 },
  { title: 'p99 ms', metric: 'p99Us', factor: 1 / 1000 },
  { title: 'p99.9 ms', metric: 'p999Us', factor: 1 / 1000 },
  { title: 'ack p50 ms', metric: 'ackP50Us', factor: 1 / 1000 },
  { title: 'ack p99 ms', metric: 'ackP99Us', factor: 1 / 1000 },
  { title: 'fsync ÷ bare', metric: 'syncOverBare' },
  { title: 'tail p50 ms', metric: 'tailP50Us', factor: 1 / 1000 },
  { title: 'tail p99 ms', metric: 'tailP99Us', factor: 1 / 1000 },
  { title: 'old k records/s', metric: 'catchupRecordsPerSecond', factor: 1 / 1000 },
  { title: 'anonymous MiB', metric: 'anonMib' },
  { title: 'resident MiB', metric: 'rssMib' },
  { title: 'stall p99 ms', metric: 'stallP99Ms' },
  { title: 'stall max ms', metric: 'stallMaxMs' },
  { title: 'first answer ms', metric: 'startMs' },
  { title: 'idle CPU %', metric: 'idleCpuPercent' },
  { title: 'idle anonymous MiB', metric: 'idleAnonMib' },
  { title: 'idle resident MiB', metric: 'idleRssMib' },
  { title: 'KiB per tail', metric: 'kibPerTail' },
]

function renderGroup(heading: string, cases: readonly CaseResult[]): string {
  const used = columns.filter(({ metric }) =>
    cases.some(({ sides }) => sides.some((side) => metricOf(side, metric) !== undefined)),
  )
  const rows = cases.flatMap(({ name, sides }) =>
    sides.map((side, index) => [
      index === 0 ? name : '',
      side.title,
      ...used.map(({ metric, factor = 1 }) => withRange(metricOf(side, metric), '', factor)),
      failed(side),
    ]),
  )
  const words = cases.map(({ name, title }) => `- **${name}**: ${title}`).join('\n')
  const columnHeads = ['', '', ...used.map(({ title }) => title), '']
  return `### ${heading}

${words}

${table(columnHeads, rows)}`
}

function failed({ rounds, failures }: SideResult): string {
  const count = rounds.filter((round) => round === null).length
  if (failures.length === 0) return ''
  const why = failures.join('; ').replace(/\s+/g, ' ').replaceAll('|', '/').slice(0, 150)
  return count === 0 && rounds.length === 0 ? why : `${count} of ${rounds.length} failed: ${why}`
}

/** `12.3 (11 to 14)`; a dash for nothing. */
function withRange(found: Spread | undefined, unit = '', factor = 1): string {
  if (found === undefined) return '–'
  const [median, low, high] = [found.median, found.lowest, found.highest].map((one) =>
    number(one * factor),
  )
  return found.count === 1 || low === high
    ? `${median}${unit}`
    : `${median}${unit} (${low} to ${high})`
}

/** Three digits, or all before the point. */
export function number(value: number): string {
  if (value === 0) return '0'
  const digits = Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3))
  return Math.abs(digits) >= 10_000 ? digits.toLocaleString('en-US') : String(digits)
}

function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [heading, heading.map(() => '---'), ...rows]
  return `${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`
}
