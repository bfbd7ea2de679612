// The assignors that clients may ask for by name.
import type { Assignor } from './assignor.ts'
import { range } from './range.ts'
import { uniform } from './uniform.ts'

const byName: ReadonlyMap<string, Assignor> = new Map(
  [uniform, range].map((assignor) => [assignor.name, assignor]),
)

/** The assignor of this name; undefined when there is none. */
export function assignorOf(name: string): Assignor | undefined {
  return byName.get(name)
}
