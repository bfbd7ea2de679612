// `millrace inspect`: explains the files of a data directory, without writing a byte.
import type { Command } from 'commander'
import { systemCode } from '#storage/base/errors.ts'
import { CommandError, EXIT } from './command-error.ts'
import { palette } from './display.ts'
import type { InspectOptions } from './inspect/inspect-event.ts'
import { inspectPath } from './inspect/inspect-path.ts'
import { inspectText } from './inspect/inspect-text.ts'
import { countOption } from './options.ts'
import type { CommandWorld } from './world.ts'

/** Written at once. */
const CHUNK_CHARACTERS = 65_536

interface Flags {
  readonly json?: boolean
  readonly batches?: boolean
  readonly records?: boolean
  readonly hex?: boolean
  readonly offset?: number
  readonly limit?: number
}

/** Adds `inspect PATH`. It ends with code 1 when it found a fault. */
export function addInspectCommand(
  program: Command,
  world: CommandWorld,
  finish: (code: number) => void,
): void {
  program
    .command('inspect')
    .description(
      'explain a data directory, a partition, or one of their files; read-only, also while a broker runs',
    )
    .argument('<path>', 'data directory, partition directory, or file')
    .option('--json', 'one JSON object a line: file, batch, record, entry, problem, summary')
    .option('--batches', 'list the batches of every log of a directory')
    .option('--records', 'list the records of each batch')
    .option('--hex', 'show the bytes of each batch')
    .option('--offset <n>', 'begin at the batch that holds this offset', countOption)
    .option('--limit <n>', 'list at most so many batches of each log', countOption)
    .addHelpText('after', '\nExit code 1 means that something is damaged.')
    .action(async (path: string, flags: Flags) => {
      finish(await inspect(world, path, flags))
    })
}

async function inspect(world: CommandWorld, path: string, flags: Flags): Promise<number> {
  const options: InspectOptions = {
    batches: flags.batches === true || flags.records === true || flags.hex === true,
    records: flags.records === true,
    hex: flags.hex === true,
    limit: flags.limit ?? Infinity,
    ...(flags.offset === undefined ? {} : { offset: flags.offset }),
  }
  const colours = palette(world.hasColours('output'))
  let exitCode: number = EXIT.ok
  let text = ''
  try {
    for (const event of inspectPath(world.files, path, options)) {
      if (event.kind === 'problem' && event.isFault) exitCode = EXIT.failed
      text += flags.json === true ? `${JSON.stringify(event)}\n` : inspectText(event, colours)
      if (text.length < CHUNK_CHARACTERS) continue
      await world.writeOutput(text)
      text = ''
      if (world.interrupted.aborted) return exitCode
    }
  } catch (error) {
    if (systemCode(error) !== 'EPIPE') await world.writeOutput(text)
    throw readFailure(error, path)
  }
  await world.writeOutput(text)
  return exitCode
}

/** What the system says about a path, as a sentence. */
function readFailure(error: unknown, path: string): unknown {
  const code = systemCode(error)
  if (code === undefined || code === 'EPIPE' || !/^E[A-Z]+$/.test(code)) return error
  return new CommandError(`Can't read ${path}: ${code}`, {
    fix:
      code === 'EACCES' ? 'Run it as a user who may read the files' : 'Check the path and the disk',
    cause: error,
  })
}
