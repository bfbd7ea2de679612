// The names of the simulated disk: the tree as it is seen, and the changes to it that are not durable yet.
import type { SeededRandom } from './seeded-random.ts'
import { SimulatedFile } from './simulated-inode.ts'

/** A directory: what is seen, and what is on the medium. */
export class SimulatedDirectory {
  readonly live = new Map<string, Inode>()
  readonly medium = new Map<string, Inode>()
}

/** What a name stands for. */
export type Inode = SimulatedFile | SimulatedDirectory

/** One name given (`inode`) or taken away (undefined). */
interface NameChange {
  readonly directory: SimulatedDirectory
  readonly name: string
  readonly inode: Inode | undefined
}

/** Changes that reach the disk together or not at all: a rename is two. */
type Transaction = readonly NameChange[]

/** The tree of names. Changes are seen at once and become durable when one of their directories is synced. */
export class Namespace {
  readonly root: SimulatedDirectory
  #pending: Transaction[] = []

  constructor(root = new SimulatedDirectory()) {
    this.root = root
  }

  change(transaction: Transaction): void {
    for (const change of transaction) apply(change, change.directory.live)
    this.#pending.push(transaction)
  }

  /** How many changes are not durable. */
  get pendingChanges(): number {
    return this.#pending.length
  }

  /** fsync of a directory: its changes, and the earlier ones of other directories that they build on. */
  sync(directory: SimulatedDirectory): void {
    const wanted = new Set<Transaction>()
    const names = new Set<string>()
    for (const transaction of this.#pending.toReversed()) {
      const touches = transaction.some(
        (change) => change.directory === directory || names.has(this.#key(change)),
      )
      if (!touches) continue
      wanted.add(transaction)
      for (const change of transaction) names.add(this.#key(change))
    }
    this.#commit((transaction) => wanted.has(transaction))
  }

  /**
   * The tree after a power loss. The journal may have kept a prefix of all changes, a prefix for each directory, or any
   * subset in which the changes of one name keep their order. File contents follow their own rules.
   */
  afterCrash(random: SeededRandom): Namespace {
    const kept = this.#survivors(random)
    const copies = new Map<Inode, Inode>()
    const names = new Map<SimulatedDirectory, Map<string, Inode>>()
    const namesOf = (directory: SimulatedDirectory) => {
      const known = names.get(directory) ?? new Map(directory.medium)
      names.set(directory, known)
      return known
    }
    for (const change of kept.flat()) apply(change, namesOf(change.directory))
    const copy = (inode: Inode): Inode => {
      const known = copies.get(inode)
      if (known !== undefined) return known
      if (inode instanceof SimulatedFile) {
        const file = inode.afterCrash(random)
        copies.set(inode, file)
        return file
      }
      const directory = new SimulatedDirectory()
      copies.set(inode, directory)
      for (const [name, child] of namesOf(inode)) {
        const found = copy(child)
        directory.live.set(name, found)
        directory.medium.set(name, found)
      }
      return directory
    }
    return new Namespace(copy(this.root) as SimulatedDirectory)
  }

  /** The same tree with its pending changes, sharing nothing: the process died, the machine lives. */
  clone(): Namespace {
    const copies = new Map<Inode, Inode>()
    const copy = (inode: Inode): Inode => {
      const known = copies.get(inode)
      if (known !== undefined) return known
      if (inode instanceof SimulatedFile) {
        const file = inode.clone()
        copies.set(inode, file)
        return file
      }
      const directory = new SimulatedDirectory()
      copies.set(inode, directory)
      for (const [name, child] of inode.live) directory.live.set(name, copy(child))
      for (const [name, child] of inode.medium) directory.medium.set(name, copy(child))
      return directory
    }
    const twin = new Namespace(copy(this.root) as SimulatedDirectory)
    twin.#pending = this.#pending.map((transaction) =>
      transaction.map(({ directory, name, inode }) => ({
        directory: copy(directory) as SimulatedDirectory,
        name,
        inode: inode && copy(inode),
      })),
    )
    return twin
  }

  #survivors(random: SeededRandom): Transaction[] {
    const pending = this.#pending
    const style = random.below(3)
    if (style === 0) return pending.slice(0, random.below(pending.length + 1))
    const chance = random.pick([0, 0.2, 0.5, 0.8, 1])
    // A name, or a whole directory, whose change was lost loses the later ones too.
    const lost = new Set<string | SimulatedDirectory>()
    const keyOf = (change: NameChange) => (style === 1 ? change.directory : this.#key(change))
    return pending.filter((transaction) => {
      const isKept = random.chance(chance) && !transaction.some((change) => lost.has(keyOf(change)))
      if (!isKept) for (const change of transaction) lost.add(keyOf(change))
      return isKept
    })
  }

  #commit(isWanted: (transaction: Transaction) => boolean): void {
    for (const transaction of this.#pending.filter(isWanted)) {
      for (const change of transaction) apply(change, change.directory.medium)
    }
    this.#pending = this.#pending.filter((transaction) => !isWanted(transaction))
  }

  readonly #ids = new Map<SimulatedDirectory, number>()

  #key({ directory, name }: NameChange): string {
    const id = this.#ids.get(directory) ?? this.#ids.size
    this.#ids.set(directory, id)
    return `${id}/${name}`
  }
}

function apply({ name, inode }: NameChange, names: Map<string, Inode>): void {
  if (inode === undefined) names.delete(name)
  else names.set(name, inode)
}
