// `millrace serve`: turns flags into broker keys and hands them to whoever runs the broker.
import type { Command } from 'commander'
import { gatherPairs } from './options.ts'
import type { CommandWorld } from './world.ts'

interface Flags {
  readonly config?: string
  readonly data?: string
  readonly http?: string
  readonly kafka?: string
  readonly set?: Readonly<Record<string, string>>
}

/** Adds `serve`. `--data`, `--kafka` and `--http` win over `--set` of the same key. */
export function addServeCommand(
  program: Command,
  world: CommandWorld,
  finish: (code: number) => void,
): void {
  program
    .command('serve')
    .description('run a broker until it is told to stop')
    .option('--config <file>', 'a server.properties, as Kafka has them')
    .option('--data <directory>', 'where the data are (log.dirs); ./data unless configured')
    .option('--kafka <host:port>', 'where Kafka clients connect (listeners, without encryption)')
    .option('--http <host:port>', 'where HTTP listens (millrace.http.listener)')
    .option('--set <key=value>', 'set a broker key; may come several times', gatherPairs)
    .addHelpText(
      'after',
      `
Settings come from flags, then from the environment (MILLRACE_LOG_SEGMENT_BYTES for
log.segment.bytes, MILLRACE_HTTP_LISTENER for millrace.http.listener), then from the file.`,
    )
    .action(async ({ config, data, http, kafka, set }: Flags) => {
      const flags = {
        ...set,
        ...(data === undefined ? {} : { 'log.dirs': data }),
        ...(http === undefined ? {} : { 'millrace.http.listener': http }),
        ...(kafka === undefined ? {} : { listeners: `PLAINTEXT://${kafka}` }),
      }
      finish(await world.serve(config === undefined ? { flags } : { configFile: config, flags }))
    })
}
