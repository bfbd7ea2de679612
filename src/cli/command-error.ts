// How a command says that it failed.

/** Exit codes of every command. */
export const EXIT = {
  ok: 0,
  /** The command was understood, and failed. */
  failed: 1,
  /** The command was not understood. */
  usage: 2,
} as const

/** A failure for the user's eyes: one sentence without a full stop, and what to do about it. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly fix: string | undefined
  readonly exitCode: number
  /** Of the broker's answer, where one was the failure. */
  readonly status: number | undefined

  constructor(
    message: string,
    {
      fix,
      exitCode = EXIT.failed,
      status,
      cause,
    }: { fix?: string; exitCode?: number; status?: number; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? {} : { cause })
    this.fix = fix
    this.exitCode = exitCode
    this.status = status
  }
}

/** A failure to understand the command. */
export function usageError(message: string): CommandError {
  return new CommandError(message, { exitCode: EXIT.usage, fix: 'See --help' })
}
