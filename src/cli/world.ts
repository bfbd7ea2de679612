// What the command line needs of the world; handed in, so that every command can be tested without a process.
import type { Clock } from '#storage/base/world.ts'
import type { Files } from '#storage/fs/files.ts'

/** Everything outside of the commands. */
export interface CommandWorld {
  /** The program's version. */
  readonly version: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Standard input, read only as fast as it is taken. */
  readonly input: () => AsyncIterable<Uint8Array>
  /** Standard output; resolves when it can take more. */
  readonly writeOutput: (text: string | Uint8Array) => Promise<void>
  readonly writeError: (text: string) => Promise<void>
  readonly isTerminal: (stream: 'input' | 'output' | 'error') => boolean
  /** Whether to colour what goes to a stream. */
  readonly hasColours: (stream: 'output' | 'error') => boolean
  readonly files: Files
  readonly clock: Clock
  readonly fetch: (request: Request) => Promise<Response>
  /** Runs a broker until it is told to stop; the exit code. */
  readonly serve: (request: ServeRequest) => Promise<number>
  /** Looks at the log directories of a broker, without writing. Throws the system's error. */
  readonly diagnose: (logDirs: readonly string[]) => DoctorReport
  /**
   * Says what a new metadata log for the log directories would hold, and writes it when `write` is set. Throws KafkaError
   * or StorageFault when that can't be done, and the system's error.
   */
  readonly rebuildMetadata: (
    logDirs: readonly string[],
    options: { readonly write: boolean },
  ) => RebuildReport
  /** Aborts when the user wants a command that never ends to end. `serve` has its own way. */
  readonly interrupted: AbortSignal
}

/** What `millrace serve` was asked for. */
export interface ServeRequest {
  /** The path of a `server.properties`. */
  readonly configFile?: string
  /** Broker keys from `--data`, `--http` and `--set`, as texts. */
  readonly flags: Readonly<Record<string, string>>
}

/** What `millrace doctor` found; `src/partitions/doctor` says what the fields mean. */
export interface DoctorReport {
  readonly clusterId: string | undefined
  readonly nodeId: number | undefined
  readonly hadCleanShutdown: boolean | undefined
  readonly topicCount: number
  readonly partitionCount: number
  readonly findings: readonly DoctorFinding[]
}

/** One observation of the doctor. */
export interface DoctorFinding {
  readonly subject: string
  readonly severity: 'blocker' | 'warning' | 'note'
  readonly concerns: 'millrace' | 'kafka' | 'both'
  readonly message: string
  readonly fix?: string
}

/** What a new metadata log for partitions that lost theirs holds. */
export interface RebuildReport {
  readonly clusterId: string | undefined
  readonly nodeId: number
  readonly topics: readonly {
    readonly name: string
    readonly id: string | undefined
    readonly partitions: readonly unknown[]
    readonly wasCompacted: boolean
  }[]
}
