// `millrace doctor DIR…`: whether a data directory can be moved into Millrace or out to Kafka, said before it is tried.
import type { Command } from 'commander'
import { systemCode } from '#storage/base/errors.ts'
import { CommandError, EXIT } from './command-error.ts'
import { countText, type Palette, palette, printable } from './display.ts'
import type { CommandWorld, DoctorFinding, DoctorReport } from './world.ts'

const BROKERS = { millrace: 'Millrace', kafka: 'Kafka 4.3' } as const
type Target = keyof typeof BROKERS

/** Adds `doctor`. It ends with code 1 when something blocks a start that was asked about. */
export function addDoctorCommand(
  program: Command,
  world: CommandWorld,
  finish: (code: number) => void,
): void {
  program
    .command('doctor')
    .description('say whether Millrace, and Kafka, can start on a data directory; reads only')
    .argument('<dir...>', 'all log directories of one broker')
    .option('--for <broker>', 'millrace or kafka; both unless given')
    .option('--json', 'the findings as one JSON object')
    .addHelpText('after', '\nExit code 1 means that something stands in the way.')
    .action((paths: readonly string[], flags: { for?: string; json?: boolean }) =>
      examine(world, paths, flags).then(finish),
    )
}

async function examine(
  world: CommandWorld,
  paths: readonly string[],
  flags: { for?: string; json?: boolean },
): Promise<number> {
  const targets = targetsOf(flags.for)
  const report = diagnose(world, paths)
  const findings = report.findings.filter((finding) =>
    targets.some((one) => concerns(finding, one)),
  )
  const text =
    flags.json === true
      ? `${JSON.stringify({ ...report, findings }, null, 2)}\n`
      : reportText({ ...report, findings }, targets, palette(world.hasColours('output')))
  await world.writeOutput(text)
  return findings.some(({ severity }) => severity === 'blocker') ? EXIT.failed : EXIT.ok
}

function targetsOf(name: string | undefined): Target[] {
  if (name === undefined) return ['millrace', 'kafka']
  if (name === 'millrace' || name === 'kafka') return [name]
  const fix = 'Say millrace or kafka'
  throw new CommandError(`${printable(name)} is no broker`, { exitCode: EXIT.usage, fix })
}

function diagnose(world: CommandWorld, paths: readonly string[]): DoctorReport {
  try {
    return world.diagnose(paths.map((path) => path.replace(/(?<=.)\/+$/, '')))
  } catch (error) {
    const code = systemCode(error)
    if (code === undefined) throw error
    const detail = `${paths.join(', ')} can't be read (${code})`
    throw new CommandError(detail, { cause: error, fix: 'Run it as the user of the broker' })
  }
}

function reportText(report: DoctorReport, targets: readonly Target[], colours: Palette): string {
  const { clusterId, nodeId, hadCleanShutdown, topicCount, partitionCount, findings } = report
  const stop = hadCleanShutdown ? 'stopped cleanly' : 'not stopped cleanly'
  const what =
    clusterId === undefined
      ? 'Not formatted: no broker has started here'
      : `Cluster ${clusterId}, node ${nodeId}, ${stop}: ${countText(topicCount)} topics, ${countText(partitionCount)} partitions here`
  const verdicts = targets.map((target) => {
    const count = findings.filter(
      (finding) => finding.severity === 'blocker' && concerns(finding, target),
    ).length
    const name = BROKERS[target]
    return count === 0
      ? colours.green(`${name} can start here`)
      : colours.red(`${name} can't start here, or would not serve everything: ${reasons(count)}`)
  })
  return `${[what, ...verdicts, ...findings.map((finding) => findingText(finding, colours))].join('\n')}\n`
}

function reasons(count: number): string {
  return count === 1 ? '1 reason' : `${countText(count)} reasons`
}

function findingText(finding: DoctorFinding, { bold, dim }: Palette): string {
  const { subject, severity, concerns: whose, message, fix } = finding
  const whom = whose === 'both' ? '' : ` (for ${BROKERS[whose]})`
  const advice = fix === undefined ? '' : `\n    ${dim(`${fix}.`)}`
  return `  ${bold(severity)}${whom} ${printable(subject)}: ${printable(message)}.${advice}`
}

function concerns({ concerns: whose }: DoctorFinding, target: Target): boolean {
  return whose === 'both' || whose === target
}
