// An immutable map with string keys: a changed copy shares all but a few small arrays with its original.

/** Entries of one place in the tree; more than BUCKET_SIZE are spread over a branch of 32. */
type Bucket<V> = readonly (readonly [key: string, value: V])[]
interface Branch<V> {
  readonly children: readonly Node<V>[]
}
type Node<V> = Bucket<V> | Branch<V>

const BUCKET_SIZE = 8
const BITS = 5
const WIDTH = 1 << BITS
/** Beyond this depth all bits of the hash are used up: equal hashes share a bucket, however long. */
const DEEPEST_SHIFT = 30

/**
 * An immutable map with string keys (a hash tree, 32 wide). `with` and `without` cost O(log n) and leave the original as
 * it was. Iteration is in no order that means anything.
 */
export class PersistentMap<V> implements Iterable<readonly [string, V]> {
  readonly size: number
  readonly #root: Node<V>

  private constructor(size: number, root: Node<V>) {
    this.size = size
    this.#root = root
  }

  static readonly #empty = new PersistentMap<never>(0, [])

  /** The map without entries. */
  static empty<V>(): PersistentMap<V> {
    return PersistentMap.#empty as PersistentMap<unknown> as PersistentMap<V>
  }

  get(key: string): V | undefined {
    let node = this.#root
    for (let hash = hashOf(key); !isBucket(node); hash >>>= BITS) {
      node = node.children[hash & (WIDTH - 1)] ?? []
    }
    return node.find((entry) => entry[0] === key)?.[1]
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  /** This map with `value` under `key`. Values must not be undefined. */
  with(key: string, value: V): PersistentMap<V> {
    const size = this.has(key) ? this.size : this.size + 1
    return new PersistentMap(size, insert(this.#root, hashOf(key), 0, [key, value]))
  }

  /** This map without `key`; itself when it has none. */
  without(key: string): PersistentMap<V> {
    if (!this.has(key)) return this
    return new PersistentMap(this.size - 1, remove(this.#root, hashOf(key), key))
  }

  [Symbol.iterator](): Iterator<readonly [string, V]> {
    return entries(this.#root)
  }

  *keys(): Generator<string> {
    for (const [key] of this) yield key
  }

  *values(): Generator<V> {
    for (const [, value] of this) yield value
  }
}

function isBucket<V>(node: Node<V>): node is Bucket<V> {
  return Array.isArray(node)
}

function insert<V>(
  node: Node<V>,
  hash: number,
  shift: number,
  entry: readonly [string, V],
): Node<V> {
  if (!isBucket(node)) {
    const at = (hash >>> shift) & (WIDTH - 1)
    const child = insert(node.children[at] ?? [], hash, shift + BITS, entry)
    return { children: node.children.with(at, child) }
  }
  const others = node.filter(([key]) => key !== entry[0])
  const bucket = [...others, entry]
  return bucket.length > BUCKET_SIZE && shift < DEEPEST_SHIFT ? spread(bucket, shift) : bucket
}

function spread<V>(bucket: Bucket<V>, shift: number): Branch<V> {
  const children: (readonly [string, V])[][] = Array.from({ length: WIDTH }, () => [])
  for (const entry of bucket) children[(hashOf(entry[0]) >>> shift) & (WIDTH - 1)]?.push(entry)
  return { children }
}

function remove<V>(node: Node<V>, hash: number, key: string): Node<V> {
  if (isBucket(node)) return node.filter((entry) => entry[0] !== key)
  const at = hash & (WIDTH - 1)
  return { children: node.children.with(at, remove(node.children[at] ?? [], hash >>> BITS, key)) }
}

function* entries<V>(node: Node<V>): Generator<readonly [string, V]> {
  if (isBucket(node)) yield* node
  else for (const child of node.children) yield* entries(child)
}

/** FNV-1a over UTF-16 units, with a last stir so that the low bits depend on all of them. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at++) {
    hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  }
  return (hash ^ (hash >>> 15)) >>> 0
}
