// A broker compacts the topics that say so, by the settings in force.
import { expect, test } from 'vitest'
import { wholeDelta } from '#src/metadata/delta.ts'
import { startEngine } from '#src/partitions/engine.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { BrokerConfig } from '../../../mod.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { contentOf } from '../../storage/upkeep/cleaner-fixture.ts'

const CONFIGS = new Map([
  ['cleanup.policy', 'compact'],
  ['internal.segment.bytes', '400'],
  ['min.cleanable.dirty.ratio', '0.1'],
])

test('startEngine() has compacted topics compacted, as log.cleaner.* says', async () => {
  const files = new SimulatedDisk()
  files.makeDirectory('/a')
  const clock = new VirtualClock()
  const problems: unknown[] = []
  const world = {
    files,
    clock,
    random: new SeededRandom(1),
    onOffline: () => undefined,
    onProblem: (problem: unknown) => problems.push(problem),
  }
  const config = BrokerConfig.load({ flags: { 'log.cleaner.backoff.ms': '100' } })
  const engine = await startEngine({ ...world, config, logDirs: ['/a'], endpoints: [] })
  await engine.provider.submit({
    kind: 'createTopics',
    topics: [{ name: 'latest', configs: CONFIGS }],
  })
  const delta = wholeDelta(engine.provider.image)
  engine.configs.apply(delta)
  engine.partitions.apply(delta)
  await engine.partitions.settled()
  const { log } = engine.partitions.get({ topic: 'latest', partition: 0 })
  const encode = (text: string) => new TextEncoder().encode(text)
  for (let round = 0; round < 50; round++) {
    const record = { key: encode(`k${round % 3}`), value: encode(`${round}`) }
    const bytes = buildBatch([{ ...record, timestamp: clock.now() }])
    log.append(bytes, { leaderEpoch: 0, origin: 'client', needsDisk: true })
    await log.flush()
  }
  expect(contentOf(log)).toHaveLength(50)
  for (let left = 100; left > 0; left--) await clock.run(5)
  const active = log.segments.at(-1)?.baseOffset ?? 0
  const keys = contentOf(log).slice(0, -(50 - active))
  expect(keys.map((text) => text.replace(/.*:(k\d)=.*/, '$1')).sort()).toEqual(['k0', 'k1', 'k2'])
  expect(new TextDecoder().decode(files.readFile('/a/cleaner-offset-checkpoint'))).toMatch(
    new RegExp(`latest 0 ${active}\\nmillrace#crc32c 0 \\d+\\n$`),
  )
  expect(problems).toEqual([])
  await engine.stop()
})
