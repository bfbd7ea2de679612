// `millrace serve`: turns flags into broker keys and hands them to whoever runs the broker.
import type { Command } from 'commander'
import { gatherPairs } from './options.ts'
import { type ServeFlags, serveRequest } from './serve-request.ts'
import type { CommandWorld } from './world.ts'

/** Adds `serve`. */
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
    .action(async (flags: ServeFlags) => finish(await world.serve(serveRequest(flags))))
}
