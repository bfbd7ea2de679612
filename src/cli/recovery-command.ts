// `millrace recovery`: what the broker found and did when it started.
import type { Command } from 'commander'
import { countText, printable, timeText } from './display.ts'
import { DEFAULT_URL, HttpClient } from './http-client.ts'
import type { CommandWorld } from './world.ts'

interface Report {
  readonly started_at?: number | string
  readonly duration_ms?: number
  readonly log_count?: number
  readonly had_clean_shutdown?: boolean | null
  readonly findings?: readonly Readonly<Record<string, unknown>>[]
  readonly notes?: readonly string[]
}

/** Adds `recovery`. */
export function addRecoveryCommand(program: Command, world: CommandWorld): void {
  program
    .command('recovery')
    .description('show what the broker found and did when it started')
    .option('--url <url>', `the broker; MILLRACE_URL or ${DEFAULT_URL} unless given`)
    .option('--json', 'the report as the broker gives it')
    .action(async ({ url, json }: { url?: string; json?: boolean }) => {
      const report = await new HttpClient(world, url).json<Report>('/recovery')
      const text = json === true ? `${JSON.stringify(report, null, 2)}\n` : reportText(report)
      await world.writeOutput(text)
    })
}

function reportText(report: Report): string {
  const {
    started_at,
    duration_ms,
    log_count,
    had_clean_shutdown,
    findings = [],
    notes = [],
  } = report
  const start =
    typeof started_at === 'number' ? timeText(started_at) : String(started_at ?? 'unknown')
  const stop = had_clean_shutdown === true ? ' after a clean stop' : ' after an unclean stop'
  const before = had_clean_shutdown === null ? ' on a new directory' : stop
  const logs = log_count === 1 ? '1 log' : `${countText(log_count ?? 0)} logs`
  const lines = [
    `Started ${start}${before}: ${logs} in ${countText(duration_ms ?? 0)} ms`,
    ...(findings.length === 0 ? ['Nothing had to be repaired'] : findings.map(findingText)),
    ...notes.map((note) => `  ${printable(note)}`),
  ]
  return `${lines.join('\n')}\n`
}

function findingText(finding: Readonly<Record<string, unknown>>): string {
  const fields = Object.entries(finding).filter(
    ([, value]) => value !== null && value !== undefined,
  )
  const texts = fields.map(([name, value]) => {
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
    return `${name.replaceAll('_', ' ')} ${printable(text)}`
  })
  return `  ${texts.join('  ')}`
}
