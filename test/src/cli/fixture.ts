// A command line's world in memory: what goes in is given, what comes out is kept.
import { runCommandLine } from '#src/cli/command-line.ts'
import type { CommandWorld, ServeRequest } from '#src/cli/world.ts'
import { diagnose } from '#src/partitions/doctor/diagnosis.ts'
import { rebuildMetadata } from '#src/partitions/doctor/rebuild-metadata.ts'
import { planRebuild } from '#src/partitions/doctor/rebuild-plan.ts'
import { systemClock } from '#storage/base/world.ts'
import { nodeFiles } from '#storage/fs/node-files.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'

/** What a command did. */
export interface CommandRun {
  readonly exitCode: number
  readonly output: string
  readonly error: string
  readonly served: readonly ServeRequest[]
}

/** What a test gives to a command. */
export interface CommandInput {
  readonly input?: readonly (string | Uint8Array)[]
  readonly fetch?: (request: Request) => Promise<Response>
  readonly environment?: Readonly<Record<string, string>>
  readonly isTerminal?: boolean
  readonly interrupted?: AbortSignal
  /** Standard output is a pipe that nobody reads any more. */
  readonly isPipeClosed?: boolean
}

/** Runs one command, its arguments separated as a shell would. */
export async function run(argv: readonly string[], given: CommandInput = {}): Promise<CommandRun> {
  const bytes: Uint8Array[] = []
  const served: ServeRequest[] = []
  let error = ''
  const encoder = new TextEncoder()
  const world: CommandWorld = {
    version: '9.9.9',
    environment: given.environment ?? {},
    async *input() {
      for await (const part of given.input ?? [])
        yield typeof part === 'string' ? encoder.encode(part) : part
    },
    writeOutput: (text) => {
      if (given.isPipeClosed === true) {
        return Promise.reject(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
      }
      bytes.push(typeof text === 'string' ? encoder.encode(text) : text.slice())
      return Promise.resolve()
    },
    writeError: (text) => {
      error += text
      return Promise.resolve()
    },
    isTerminal: () => given.isTerminal ?? false,
    hasColours: () => given.isTerminal ?? false,
    files: nodeFiles,
    clock: systemClock,
    fetch: given.fetch ?? (() => Promise.reject(new Error('no network'))),
    serve: (request) => {
      served.push(request)
      return Promise.resolve(0)
    },
    diagnose: (logDirs) => diagnose(nodeFiles, logDirs),
    rebuildMetadata(logDirs, { write }) {
      const plan = planRebuild(nodeFiles, logDirs)
      if (write) rebuildMetadata(nodeFiles, new SeededRandom(1), 0, plan)
      return plan
    },
    interrupted: given.interrupted ?? new AbortController().signal,
  }
  const exitCode = await runCommandLine(argv, world)
  return { exitCode, output: Buffer.concat(bytes).toString('utf8'), error, served }
}
