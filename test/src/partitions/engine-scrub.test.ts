// A whole broker that finds damage while it runs.
import { expect, test } from 'vitest'
import { ANONYMOUS } from '#src/access/session.ts'
import { startBroker } from '../../../mod.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'

const SEGMENT = '/a/orders-0/00000000000000000000.log'

test.each([
  { rate: '8388608', isFound: true },
  { rate: '0', isFound: false },
])(
  'A broker that may scrub $rate bytes a second tells of damage at GET /recovery: $isFound',
  async ({ rate, isFound }) => {
    const files = new SimulatedDisk()
    files.makeDirectory('/a')
    const clock = new VirtualClock()
    const events: string[] = []
    const running = await startBroker({
      data: '/a',
      files,
      clock,
      http: false,
      kafka: false,
      config: { 'millrace.scrub.max.bytes.per.second': rate },
      onEvent: (line) => events.push(line),
    })
    const configs = { 'internal.segment.bytes': '300' }
    await running.broker.createTopic(ANONYMOUS, { name: 'orders', partitionCount: 1, configs })
    for (let number = 0; number < 10; number++) await running.produce('orders', [{ value: 'v' }])
    files.flipBit(SEGMENT, 64)
    await clock.run(70_000)
    const response = await running.fetch(new Request('http://localhost/recovery'))
    const { findings } = (await response.json()) as { findings: object[] }
    const finding = {
      found_by: 'scrub',
      topic: 'orders',
      log_directory: '/a/orders-0',
      offsets_at_risk: [{ from: 0, to: 1 }],
      messages: ['Offset 0 is missing or damaged, and not served'],
    }
    expect(findings).toMatchObject(isFound ? [finding] : [])
    expect(events.length).toBe(isFound ? 1 : 0)
    const metrics = await (await running.fetch(new Request('http://localhost/metrics'))).text()
    expect(metrics).toContain(`millrace_scrub_damaged_ranges ${isFound ? 1 : 0}`)
    if (isFound) await expect(running.read('orders')).rejects.toThrow('damaged range')
    expect((await running.read('orders', { offset: 1 })).records.length).toBeGreaterThan(0)
    await running.stop()
  },
)
