// The command line: `millrace COMMAND …`. Parses it, runs the command, and turns failures into messages and exit codes.
// Commands talk to a broker over HTTP or read files (`ping` speaks Kafka's protocol); they share nothing with a broker that runs in this process.
import { Command, CommanderError } from 'commander'
import { systemCode } from '#storage/base/errors.ts'
import { CommandError, EXIT } from './command-error.ts'
import { addConsumeCommand } from './consume-command.ts'
import { palette } from './display.ts'
import { addDoctorCommand } from './doctor-command.ts'
import { addGroupsCommand } from './groups-command.ts'
import { addInspectCommand } from './inspect-command.ts'
import { addPingCommand } from './ping-command.ts'
import { addProduceCommand } from './produce-command.ts'
import { addRecoveryCommand } from './recovery-command.ts'
import { addServeCommand } from './serve-command.ts'
import { addTopicsCommand } from './topics-command.ts'
import type { CommandWorld } from './world.ts'

/**
 * Runs one command and returns its exit code: 0 when it did what was asked, 1 when it failed, 2 when it was not
 * understood. `argv` is without the program's name. Never throws for what a user can cause.
 */
export async function runCommandLine(
  argv: readonly string[],
  world: CommandWorld,
): Promise<number> {
  let exitCode: number = EXIT.ok
  const { program, written } = buildProgram(world, (code) => {
    exitCode = code
  })
  try {
    await program.parseAsync(argv, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) {
      await written()
      return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    }
    // Whoever read our output has seen enough, as `head` does.
    if (systemCode(error) === 'EPIPE') return EXIT.ok
    if (!(error instanceof CommandError)) throw error
    await world.writeError(failureText(error, world))
    return error.exitCode
  } finally {
    await written()
  }
}

function buildProgram(world: CommandWorld, finish: (code: number) => void) {
  // Commander writes without waiting; what it wrote is waited for in the end.
  let writes = Promise.resolve()
  const after = (write: () => Promise<void>): void => {
    writes = writes.then(write)
  }
  const program = new Command('millrace')
    .description("a durable event log that speaks HTTP and keeps Apache Kafka's own files")
    .version(world.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => after(() => world.writeOutput(text)),
      writeErr: (text) => after(() => world.writeError(text)),
      outputError: (text, write) => write(usageText(text, world)),
      getOutHasColors: () => world.hasColours('output'),
      getErrHasColors: () => world.hasColours('error'),
    })
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 not understood.')
  addServeCommand(program, world, finish)
  addTopicsCommand(program, world)
  addProduceCommand(program, world)
  addConsumeCommand(program, world)
  addGroupsCommand(program, world)
  addInspectCommand(program, world, finish)
  addRecoveryCommand(program, world)
  addDoctorCommand(program, world, finish)
  addPingCommand(program, world, finish)
  return { program, written: () => writes }
}

/** `error: sentence. fix` */
function failureText(error: CommandError, world: CommandWorld): string {
  const { red } = palette(world.hasColours('error'))
  const lines = error.message.split('\n')
  const sentence = lines.length === 1 ? ` ${ended(error.message)}` : `\n  ${lines.join('\n  ')}\n`
  const fix = error.fix === undefined ? '' : `${lines.length === 1 ? ' ' : ''}${error.fix}.`
  return `${red('error:')}${sentence}${fix}\n`
}

/** A sentence with its full stop, or the question mark that it came with. */
function ended(sentence: string): string {
  return /[.?!]$/.test(sentence) ? sentence : `${sentence}.`
}

/** Commander's own message in our form. */
function usageText(text: string, world: CommandWorld): string {
  const { red } = palette(world.hasColours('error'))
  const [first = '', ...hints] = text
    .replace(/^error: /, '')
    .trim()
    .split('\n')
  const sentence = `${first.charAt(0).toUpperCase()}${first.slice(1).replace(/\.$/, '')}.`
  return `${red('error:')} ${[sentence, ...hints].join(' ')} See --help.\n`
}
