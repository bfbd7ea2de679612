// Decisions about topics and configs, on a disk that stops or fails at one of its operations: what a start finds of them.
import { CONFIG_RESOURCE } from '#src/metadata/image.ts'
import { imageRecords } from '#src/metadata/snapshot.ts'
import { type Engine, startEngine } from '#src/partitions/engine.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { BrokerConfig } from '../../../mod.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { CHANGES, MachineStopped } from '../../simulation/simulated-faults.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'

const ROOT = '/a'
const LOG = '__cluster_metadata-0'

/** What is decided, one after the other: enough for several segments and snapshots. */
const DECISIONS: readonly ((engine: Engine) => Promise<unknown>)[] = [
  create('a', 'b'),
  configure('a', '1000'),
  create('c'),
  ({ provider }) =>
    provider.submit({ kind: 'createPartitions', topics: [{ name: 'a', count: 3 }] }),
  remove('b'),
  configure('a', '2000'),
  create('d', 'e', 'f'),
  configure('c', '1'),
  remove('c'),
  create('g'),
  configure('g', '77'),
  ({ provider }) => provider.submit({ kind: 'allocateProducerIds' }),
  create('b'),
]

function create(...names: string[]) {
  const configs = new Map([['retention.ms', '5000']])
  const topics = names.map((name) => ({ name, partitionCount: 2, configs }))
  return ({ provider }: Engine) => provider.submit({ kind: 'createTopics', topics })
}

function remove(name: string) {
  return ({ provider }: Engine) => provider.submit({ kind: 'deleteTopics', topics: [{ name }] })
}

function configure(name: string, value: string) {
  const configs = new Map([['retention.ms', value]])
  const resources = [{ resource: { type: CONFIG_RESOURCE.TOPIC, name }, configs }]
  return ({ provider }: Engine) => provider.submit({ kind: 'alterConfigs', resources })
}

interface Running {
  readonly engine: Engine
  readonly clock: VirtualClock
}

async function startOn(disk: SimulatedDisk): Promise<Running> {
  const clock = new VirtualClock()
  const flags = {
    'metadata.log.max.record.bytes.between.snapshots': '900',
    'internal.metadata.log.segment.bytes': '700',
  }
  const starting = startEngine({
    config: BrokerConfig.load({ flags }),
    logDirs: [ROOT],
    endpoints: [],
    files: disk,
    clock,
    random: new SeededRandom(1),
    onOffline: () => undefined,
    onProblem: () => undefined,
    onFailure: () => undefined,
  })
  return { engine: await clock.drive(starting, 100), clock }
}

/** Topics, how many partitions they have, and their configs; nothing of who decided when. */
export function known({ engine }: { engine: Engine }): string {
  const lines = Array.from(engine.provider.image.topics()).map(({ name, partitions }) => {
    const [, value = 'default'] =
      configRecords(engine).find(([resource]) => resource === name) ?? []
    return `${name}*${partitions.length} ${value}`
  })
  return lines.sort().join(', ')
}

function configRecords({ provider }: Engine): [string, string][] {
  return Array.from(imageRecords(provider.image)).flatMap((record): [string, string][] => {
    if (record.type !== 'ConfigRecord') return []
    return [[record.data.resourceName, String(record.data.value)]]
  })
}

/** What is done to the disk before the decisions begin. */
export type Trouble = (disk: SimulatedDisk) => void

/** What became of one life. */
export interface Life {
  readonly disk: SimulatedDisk
  /** How many decisions were confirmed. */
  readonly confirmed: number
  /** What the engine showed after each of them, the first entry before any. */
  readonly shown: readonly string[]
  /** Changes of the disk that the decisions took. */
  readonly changes: number
  /** What went wrong that must not. */
  readonly wrong: readonly string[]
}

/** Starts, gets into trouble, and decides until something is refused for good. A refusal is tried once more. */
export async function live(trouble: Trouble = () => undefined): Promise<Life> {
  const disk = new SimulatedDisk()
  disk.makeDirectory(ROOT)
  const running = await startOn(disk)
  const before = disk.faults.changes
  trouble(disk)
  const shown = [known(running)]
  const wrong: string[] = []
  let confirmed = 0
  try {
    for (const decide of DECISIONS) {
      await decideOnce(running, decide)
      confirmed++
      shown.push(known(running))
      await running.clock.run(100)
    }
  } catch (error) {
    const isKnown =
      error instanceof KafkaError || (error instanceof Error && error.name === 'StorageFault')
    if (!isKnown && !(error instanceof MachineStopped)) wrong.push(String(error))
  }
  return { disk, confirmed, shown, wrong, changes: disk.faults.changes - before }
}

async function decideOnce(
  { engine, clock }: Running,
  decide: (engine: Engine) => Promise<unknown>,
) {
  try {
    await clock.drive(decide(engine), 100)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    await clock.drive(decide(engine), 100)
  }
}

/** What a start finds: the topics, or what refuses it. */
export async function found(disk: SimulatedDisk): Promise<string> {
  try {
    return known(await startOn(disk))
  } catch (error) {
    return `refused: ${String(error)}`
  }
}

/** The n-th change of the metadata log's files fails. */
export function failing(at: number): Trouble {
  return (disk) => disk.fail({ on: CHANGES, path: LOG, at, code: 'EIO' })
}

/** There is no space for the n-th. A sync that fails is a fault, whatever it says. */
export function full(at: number): Trouble {
  const on = CHANGES.filter((change) => !change.startsWith('sync'))
  return (disk) => disk.fail({ on, path: LOG, at, code: 'ENOSPC' })
}
