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
  readonly findings?: readonly Finding[]
  readonly notes?: readonly string[]
}

interface Finding {
  readonly found_by?: string
  readonly log_directory?: string
  readonly topic?: string
  readonly partition?: number
  readonly scanned_segments?: number
  readonly scanned_bytes?: number
  readonly messages?: readonly string[]
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
    ...(findings.some(({ messages = [] }) => messages.length > 0)
      ? []
      : ['Nothing had to be repaired']),
    ...findings.map(findingText),
    ...notes.map((note) => `  ${printable(note)}`),
  ]
  return `${lines.join('\n')}\n`
}

/** A line for what was looked at, and one below it for each thing that was not as it should be. */
function findingText(finding: Finding): string {
  const { found_by, log_directory, scanned_segments = 0, scanned_bytes = 0, messages } = finding
  const segments = scanned_segments === 1 ? '1 segment' : `${countText(scanned_segments)} segments`
  const scanned = `scanned ${segments}, ${countText(scanned_bytes)} bytes`
  const parts = [
    ...(scanned_segments > 0 ? [scanned] : []),
    ...(found_by === 'start' ? [] : [`found by the ${found_by}`]),
    `in ${log_directory}`,
  ]
  const head = `  ${finding.topic}-${finding.partition}: ${parts.join(', ')}`
  const lines = [head, ...(messages ?? []).map((message) => `    ${message}`)]
  return lines.map((line) => printable(line)).join('\n')
}
