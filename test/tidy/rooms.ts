// The rooms of the house and who may import whom. A change here is a design change: it goes with a paragraph in DECISIONS.md.

/** Each row stands above the rows that follow; a room imports only from lower rows, and from itself. */
const floors = {
  '': [['main'], ['mod'], ['routes'], ['src'], ['storage']],
  src: [
    ['broker'],
    ['cluster', 'transactions', 'shares', 'webhooks'],
    ['groups'],
    ['coordinators'],
    ['partitions'],
    ['metadata', 'access'],
    ['config', 'metrics', 'protocol', 'platform'],
  ],
  storage: [
    ['log-manager'],
    ['upkeep'],
    ['log'],
    ['segment', 'state'],
    ['batch'],
    ['fs', 'bytes'],
    ['base'],
  ],
} as const satisfies Record<string, readonly (readonly string[])[]>

/** What a room may see of a top-level folder that is not its own, where that is less than everything. */
const views: readonly { from: RegExp; folder: 'src' | 'storage'; sees: RegExp }[] = [
  {
    from: /^routes\//,
    folder: 'src',
    sees: /^src\/(broker|protocol|platform|metrics)\/|^src\/access\/session\.ts$/,
  },
  {
    from: /^src\/partitions\//,
    folder: 'storage',
    sees: /^storage\//,
  },
  { from: /^src\/cli\//, folder: 'storage', sees: /^storage\// },
  { from: /^(routes|src)\//, folder: 'storage', sees: /^storage\/(bytes|base)\// },
]

/** Where the packages with one place of their own may be imported. */
const packages: Readonly<Record<string, RegExp>> = {
  commander: /^src\/cli\//,
  hono: /^(routes\/http|src\/platform)\//,
  '@hono/node-server': /^src\/platform\//,
  'hono-openapi': /^routes\/http\//,
  ws: /^src\/platform\//,
  re2js: /^src\/groups\//,
  koffi: /^storage\/(fs|base)\//,
  snappy: /^storage\/(batch|base)\//,
  'lz4-napi': /^storage\/(batch|base)\//,
  '@node-rs/crc32': /^storage\/(bytes|base)\//,
}

/** True for the sources that the table speaks of; tests, scripts and benches may import everything. */
export const isHoused = (path: string): boolean =>
  /^(main|mod)\.ts$|^(routes|src|storage)\//.test(path)

/** Why `from` may not import `to`, both paths from the root; undefined when it may. */
export function forbiddenImport(from: string, to: string): string | undefined {
  const [top, otherTop] = [topOf(from), topOf(to)]
  if (top !== otherTop) {
    if (!isBelow(floors[''], top, otherTop)) return `${otherTop} does not lie below ${top}`
    const view = views.find(
      (candidate) => candidate.from.test(from) && candidate.folder === otherTop,
    )
    return view === undefined || view.sees.test(to)
      ? undefined
      : `it is not for ${roomName(from)} to see`
  }
  if (top === 'main' || top === 'mod') return undefined
  const [room, other] = [roomOf(from), roomOf(to)]
  if (room === other) return undefined
  if (top === 'routes') return 'the doors never import each other'
  if (top === 'src' && room === 'cli')
    return other === 'protocol' || other === 'platform' ? undefined : 'cli is a client'
  if (top !== 'src' && top !== 'storage') return undefined
  return isBelow(floors[top], room, other) ? undefined : `${other} does not lie below ${room}`
}

/** Why `from` may not import this package or built-in module; undefined when it may. */
export function forbiddenPackage(from: string, specifier: string): string | undefined {
  const name = specifier.startsWith('@')
    ? specifier.split('/').slice(0, 2).join('/')
    : (specifier.split('/')[0] ?? '')
  const place = packages[name]
  return place === undefined || place.test(from)
    ? undefined
    : `only ${place.source} imports ${name}`
}

/** Why the specifier is spelled wrongly for a file at `to`; undefined when it is right. */
export function wrongSpelling(from: string, specifier: string, to: string): string | undefined {
  const crosses = topOf(from) !== topOf(to) && topOf(to) !== 'mod'
  if (crosses && specifier.startsWith('.')) return `write #${to}`
  if (!crosses && specifier.startsWith('#') && specifier !== '#serve')
    return 'write a relative path'
  return undefined
}

/** The rooms that the table does not know, of paths from the root. */
export function unknownRooms(paths: readonly string[]): string[] {
  const known = (path: string) => {
    const top = topOf(path)
    if (top !== 'src' && top !== 'storage') return true
    return (
      roomOf(path) === 'cli' || floors[top].some((row) => row.some((room) => room === roomOf(path)))
    )
  }
  return paths.filter((path) => !known(path))
}

const topOf = (path: string): string => (path.split('/')[0] ?? '').replace(/\.ts$/, '')

const roomName = (path: string): string => path.split('/').slice(0, 2).join('/')

/** Files right under storage/ form the room of the log manager. */
function roomOf(path: string): string {
  const [top, room = ''] = path.split('/')
  return top === 'storage' && room.endsWith('.ts') ? 'log-manager' : room
}

function isBelow(rows: readonly (readonly string[])[], upper: string, lower: string): boolean {
  const level = (name: string) => rows.findIndex((row) => row.includes(name))
  return level(upper) !== -1 && level(lower) > level(upper)
}
