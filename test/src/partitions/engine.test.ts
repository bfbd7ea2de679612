// An engine whose metadata log fails: it says so, for only a new start helps.
import { expect, test } from 'vitest'
import { startBroker } from '../../../mod.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'

async function broker() {
  const disk = new SimulatedDisk()
  for (const path of ['/a', '/b']) disk.makeDirectory(path)
  const running = await startBroker({ data: ['/a', '/b'], files: disk, http: false, kafka: false })
  let failure: Error | undefined
  void running.failed.then((error) => {
    failure = error
  })
  return { disk, running, failure: () => Promise.resolve().then(() => failure) }
}

test('RunningBroker.failed resolves when the metadata log can not be written, and the broker still stops', async () => {
  const { disk, running } = await broker()
  await running.produce('orders', [{ value: 'one' }])
  disk.fail({ on: 'sync', path: '__cluster_metadata-0', code: 'EIO' })
  await expect(running.produce('other', [{ value: 'two' }])).rejects.toThrow()
  await expect(running.failed).resolves.toBeInstanceOf(Error)
  await running.stop()
  expect(disk.status('/a/.kafka_cleanshutdown')).toBeUndefined()
  expect(disk.status('/b/.kafka_cleanshutdown')).toBeDefined()
})

test('RunningBroker.failed resolves when another log takes the metadata directory offline', async () => {
  const { disk, running } = await broker()
  await running.produce('orders', [{ value: 'one' }])
  const [inA] = ['/a', '/b'].filter((path) => disk.status(`${path}/orders-0`))
  disk.fail({ on: 'write', path: `${inA}/orders-0`, code: 'EIO' })
  await expect(running.produce('orders', [{ value: 'two' }])).rejects.toThrow(/orders-0/)
  if (inA === '/a') await expect(running.failed).resolves.toMatchObject({ name: 'StorageFault' })
  await running.stop()
})

test('RunningBroker.failed stays pending when another directory fails, and when the broker stops', async () => {
  const { disk, running, failure } = await broker()
  await running.produce('orders', [{ value: 'one', partition: 0 }])
  await running.produce('others', [{ value: 'one', partition: 0 }])
  const topic = disk.status('/b/orders-0') ? 'orders' : 'others'
  disk.fail({ on: 'write', path: `/b/${topic}-0`, code: 'EIO' })
  await expect(running.produce(topic, [{ value: 'two' }])).rejects.toThrow()
  expect(await failure()).toBeUndefined()
  await running.stop()
  expect(await failure()).toBeUndefined()
})
