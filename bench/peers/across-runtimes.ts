// The cases once more, between the runtimes that Millrace runs on instead of between Millrace and Kafka.
import type { RuntimeName } from '../../test/process/broker-process.ts'
import type { BenchCase } from './case.ts'
import type { SideSpec } from './load.ts'
import type { Target } from './result.ts'

/** What Deno and Node may cost, as a multiple of Bun. */
const MOST = 2

/** The cases as they are for Bun alone; else each Millrace side once on each runtime, held to twice what Bun takes. */
export function acrossRuntimes(
  cases: readonly BenchCase[],
  runtimes: readonly RuntimeName[],
): readonly BenchCase[] {
  if (runtimes.length === 1 && runtimes[0] === 'bun') return cases
  return cases.map((one) => {
    // One promise is enough: without fsync where a case has both, since the disk is the same on all.
    const base = one.sides.find(({ name }) => name === 'millrace') ?? one.sides.at(-1)
    const sides = runtimes.map((runtime): SideSpec => {
      return { ...(base as SideSpec), name: runtime, title: `Millrace on ${runtime}`, runtime }
    })
    const rest = runtimes.filter((runtime) => runtime !== 'bun')
    return { ...one, sides, targets: rest.map((runtime) => twice(one, runtime)) }
  })
}

function twice({ load }: BenchCase, runtime: RuntimeName): Target {
  const isLatency = load.tool === 'java-latency' || (load.tool === 'raw' && load.mode === 'latency')
  const metric = load.tool === 'start' ? 'startMs' : isLatency ? 'p50Us' : 'cpuPerMillion'
  return { metric, of: runtime, over: 'bun', comparison: '<=', limit: MOST }
}
