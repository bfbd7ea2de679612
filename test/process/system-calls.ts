// Reads the output of strace: which system call began and ended when, on which file.

/** One system call, with the line numbers at which it began and ended: their order is the order in time. */
export interface SystemCall {
  readonly name: string
  /** Its arguments as strace prints them; with `-y` a descriptor is followed by its path: `23</data/t-0/0.log>`. */
  readonly text: string
  readonly began: number
  readonly ended: number
  readonly succeeded: boolean
}

/** The calls in the output of `strace -f -y`. A call that another thread interrupts comes as two lines. */
export function parseTrace(trace: string): SystemCall[] {
  const calls: SystemCall[] = []
  const unfinished = new Map<string, { name: string; text: string; began: number }>()
  for (const [number, line] of trace.split('\n').entries()) {
    const [, thread = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? []
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/.exec(rest)
    const started = /^(\w+)\((.*)$/.exec(rest)
    if (resumed) {
      const begun = unfinished.get(thread)
      unfinished.delete(thread)
      if (begun) calls.push({ ...begun, ended: number, succeeded: isSuccess(rest) })
    } else if (started) {
      const [, name = '', text = ''] = started
      if (rest.endsWith('<unfinished ...>')) unfinished.set(thread, { name, text, began: number })
      else calls.push({ name, text, began: number, ended: number, succeeded: isSuccess(rest) })
    }
  }
  return calls
}

const isSuccess = (line: string) => /\) += \d+/.test(line)

/** The path of the descriptor that is a call's first argument. */
export const pathOf = (call: SystemCall): string => /^\d+<([^>]*)>/.exec(call.text)?.[1] ?? ''
