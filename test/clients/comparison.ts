// Runs one client against both brokers and sorts out what differs.
import type { Client } from './client.ts'
import { type Difference, differences } from './compare.ts'
import { type KnownDifference, knownDifference } from './known-differences.ts'
import type { Peer } from './peers.ts'
import type { SeenVersions } from './recorder.ts'

/** What came of a client's scenarios. */
export interface Comparison {
  readonly scenarios: readonly string[]
  /** Differences that no known one explains. */
  readonly unexpected: readonly (Difference & { readonly scenario: string })[]
  /** Scenarios of plain producing that fail even against Kafka: the client was set up wrongly, and nothing is compared. */
  readonly broken: readonly string[]
  readonly known: ReadonlySet<KnownDifference>
  /** What the client asked of us. */
  readonly versions: SeenVersions
}

/** Both brokers are asked at the same time. */
export async function compareClient(
  client: Client,
  kafka: Peer,
  millrace: Peer,
): Promise<Comparison> {
  const base = Date.now() - 60_000
  for (const { recorder } of [kafka, millrace]) recorder.take()
  const [theirs, ours] = await Promise.all(
    [kafka, millrace].map(({ bootstrap }) => client.run({ bootstrap, base })),
  )
  const known = new Set<KnownDifference>()
  const unexpected = [...(theirs ?? [])].flatMap(([scenario, answer]) =>
    differences(answer, ours?.get(scenario))
      .filter((difference) => {
        const found = knownDifference(client.name, scenario, difference)
        if (found !== undefined) known.add(found)
        return found === undefined
      })
      .map((difference) => ({ scenario, ...difference })),
  )
  return {
    scenarios: [...(theirs?.keys() ?? [])],
    unexpected,
    broken: [...(theirs ?? [])]
      .filter(([name, answer]) => /^produce-/.test(name) && isFailure(answer))
      .map(([name]) => name),
    known,
    versions: millrace.recorder.take(),
  }
}

const isFailure = (answer: unknown): boolean =>
  /"error":|timed out|ERROR/.test(JSON.stringify(answer) ?? '')
