// Recovery of what a real Kafka left when it was killed, against what that Kafka itself made of it.
import { expect, test } from 'vitest'
import { goldenBytes, goldenFiles } from '../../golden/golden.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { openLog } from './log-fixture.ts'

const CASES = [
  { partition: 'plain-0', indexIntervalBytes: 512 },
  { partition: 'idempotent-0', indexIntervalBytes: 512 },
  { partition: 'transactions-0', indexIntervalBytes: 256 },
  { partition: 'append-time-0', indexIntervalBytes: 256 },
]

function diskWith(partition: string): SimulatedDisk {
  const disk = new SimulatedDisk()
  disk.makeDirectory(`/${partition}`)
  for (const name of goldenFiles('killed', `${partition}/*`)) {
    const file = disk.open(`/${name}`, 'write')
    file.write(goldenBytes('killed', name), 0)
    file.close()
  }
  return disk
}

test.each(CASES)(
  'openPartitionLog() recovers $partition to the bytes that Kafka made',
  async (given) => {
    const disk = diskWith(given.partition)
    const checkpoint = new TextDecoder().decode(
      goldenBytes('killed', 'recovery-point-offset-checkpoint'),
    )
    const line = new RegExp(`^${given.partition.replace('-', ' ')} (\\d+)$`, 'm').exec(checkpoint)
    const { log } = await openLog(disk, {
      // Producers expire by record time, and these records are old.
      clock: new VirtualClock(1_790_000_000_000),
      recoveryPoint: Number(line?.[1]),
      directory: `/${given.partition}`,
      config: { indexIntervalBytes: given.indexIntervalBytes },
    })
    await log.close()
    const kinds = ['log', 'index', 'timeindex', 'txnindex', 'snapshot']
    const expected = goldenFiles('recovered', `${given.partition}/*.{${kinds.join(',')}}`)
    const ours = disk.list(`/${given.partition}`).map(({ name }) => `${given.partition}/${name}`)
    expect(ours.filter((name) => kinds.includes(name.split('.').at(-1) ?? '')).toSorted()).toEqual(
      expected,
    )
    for (const name of expected) {
      const bytes = disk.readFile(`/${name}`) ?? new Uint8Array(0)
      expect(`${name} ${Buffer.compare(bytes, goldenBytes('recovered', name))}`).toBe(`${name} 0`)
    }
  },
)
