// `millrace doctor DIR…`: whether a data directory can be moved into Millrace or out to Kafka, said before it is tried.
import type { Command } from 'commander'
import { KafkaError, StorageFault, systemCode } from '#storage/base/errors.ts'
import { CommandError, EXIT } from './command-error.ts'
import { countText, type Palette, palette, printable } from './display.ts'
import type { CommandWorld, DoctorFinding, DoctorReport, RebuildReport } from './world.ts'

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
    .description(
      'say whether Millrace, and Kafka, can start on a data directory; reads only, unless told to rebuild',
    )
    .argument('<dir...>', 'all log directories of one broker')
    .option('--for <broker>', 'millrace or kafka; both unless given')
    .option('--json', 'the findings as one JSON object')
    .option('--rebuild-metadata', 'make a metadata log for partitions that have lost theirs')
    .option('--yes', 'with --rebuild-metadata: write it; without, it is only said what it would be')
    .addHelpText('after', '\nExit code 1 means that something stands in the way.')
    .action((paths: readonly string[], flags: Flags) =>
      (flags.rebuildMetadata ? rebuild(world, paths, flags) : examine(world, paths, flags)).then(
        finish,
      ),
    )
}

interface Flags {
  readonly for?: string
  readonly json?: boolean
  readonly rebuildMetadata?: boolean
  readonly yes?: boolean
}

async function rebuild(
  world: CommandWorld,
  paths: readonly string[],
  { yes = false }: Flags,
): Promise<number> {
  const report = attempt(paths, () =>
    world.rebuildMetadata(paths.map(withoutSlash), { write: yes }),
  )
  await world.writeOutput(rebuildText(report, palette(world.hasColours('output'))))
  if (yes) {
    await world.writeOutput('The metadata log is written: start a broker.\n')
    return EXIT.ok
  }
  const fix = 'Add --yes to write it'
  throw new CommandError('Nothing was written', { exitCode: EXIT.usage, fix })
}

function rebuildText({ topics, nodeId }: RebuildReport, { bold }: Palette): string {
  const lines = topics.map(({ name, id, partitions, wasCompacted }) => {
    const count =
      partitions.length === 1 ? '1 partition' : `${countText(partitions.length)} partitions`
    const was = wasCompacted ? '; it was compacted: set cleanup.policy again' : ''
    return `  ${bold(printable(name))}: ${count}, topic id ${id ?? 'new'}${was}\n`
  })
  return `A metadata log of node ${nodeId} for ${countText(topics.length)} topics:
${lines.join('')}Lost with the old one: topic and broker configs, quotas, ACLs, credentials, and topics without partitions here.
So that no default deletes anything, topics get retention.ms=-1: set their configs again.
`
}

const withoutSlash = (path: string) => path.replace(/(?<=.)\/+$/, '')

/** A refusal, and what the system says, as the user's failure. */
function attempt<T>(paths: readonly string[], action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (error instanceof KafkaError || error instanceof StorageFault) {
      throw new CommandError(error.message, { cause: error })
    }
    const code = systemCode(error)
    if (code === undefined) throw error
    const detail = `${paths.join(', ')} can't be read (${code})`
    throw new CommandError(detail, { cause: error, fix: 'Run it as the user of the broker' })
  }
}

async function examine(
  world: CommandWorld,
  paths: readonly string[],
  flags: Flags,
): Promise<number> {
  const targets = targetsOf(flags.for)
  const report = attempt(paths, () => world.diagnose(paths.map(withoutSlash)))
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
