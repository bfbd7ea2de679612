// Reads CPU profiles as all three runtimes write them: the functions in which samples fell.

/** What counts of a `.cpuprofile`. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: {
      readonly functionName: string
      readonly url: string
      readonly lineNumber: number
    }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** One function and its share of the time in which the thread did something. */
export interface SelfTime {
  readonly functionName: string
  /** File and line, from the project's root where it lies there. */
  readonly where: string
  readonly share: number
}

const IDLE = new Set(['(idle)', '(program)', '(root)'])

/** The functions by their own time, the largest first. Time in which the thread slept is left out. */
export function selfTimes({ nodes, samples, timeDeltas }: CpuProfile): SelfTime[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const times = new Map<string, { functionName: string; where: string; time: number }>()
  let total = 0
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id)
    const time = Math.max(0, timeDeltas[index] ?? 0)
    if (!frame || IDLE.has(frame.functionName)) continue
    const where = `${frame.url.replace(/^.*\/(?=(routes|src|storage|node_modules)\/)/, '')}:${frame.lineNumber + 1}`
    const functionName = frame.functionName || '(anonymous)'
    const known = times.get(`${functionName} ${where}`) ?? { functionName, where, time: 0 }
    known.time += time
    total += time
    times.set(`${functionName} ${where}`, known)
  }
  return [...times.values()]
    .sort((left, right) => right.time - left.time)
    .map(({ functionName, where, time }) => ({ functionName, where, share: time / total }))
}
