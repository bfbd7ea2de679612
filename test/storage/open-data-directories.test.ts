// Data directories: format, identity, lock, and what is refused.
import { expect, test } from 'vitest'
import { SimulatedDisk } from '../simulation/simulated-disk.ts'
import { decode, open, rewrite } from './log-manager-fixture.ts'

test('openLogManager() formats new directories, each with its own id', async () => {
  const disk = new SimulatedDisk()
  const manager = open(disk, { logDirs: ['/a', '/b'], clusterId: 'MkU3OEVBNTcwNTJENDM2Qg' })
  const [first = '', second = ''] = manager.directoryIds
  expect(first).not.toBe(second)
  expect(decode(disk.readFile('/a/meta.properties'))).toBe(
    `version=1\ncluster.id=MkU3OEVBNTcwNTJENDM2Qg\nnode.id=1\ndirectory.id=${first}\n`,
  )
  await manager.closeNow()
  const again = open(disk, { logDirs: ['/a', '/b', '/c'] })
  expect(again.clusterId).toBe('MkU3OEVBNTcwNTJENDM2Qg')
  expect(again.directoryIds.slice(0, 2)).toEqual([first, second])
  await again.closeNow()
})

test('openLogManager() has the directories on disk that it makes, parents included', () => {
  const disk = new SimulatedDisk()
  const { clusterId } = open(disk, { logDirs: ['/var/lib/data'] })
  for (let seed = 0; seed < 20; seed++) {
    const again = open(disk.afterCrash(seed), { logDirs: ['/var/lib/data'] })
    expect(again.clusterId, `seed ${seed}`).toBe(clusterId)
  }
})

test('openLogManager() refuses a directory that another broker uses, and lets go of the others', async () => {
  const disk = new SimulatedDisk()
  const first = open(disk, { logDirs: ['/b'] })
  expect(() => open(disk, { logDirs: ['/a', '/b'] })).toThrow(
    'Another broker is using the data directory /b; stop it, or choose another directory',
  )
  rewrite(disk, '/b/.lock.pid', '4711 12345 boot\n')
  expect(() => open(disk, { logDirs: ['/a', '/b'] })).toThrow(
    'Another broker (process 4711) is using',
  )
  await first.closeNow()
  await open(disk, { logDirs: ['/a', '/b'] }).closeNow()
})

const META = (fields: string) => `version=1\ncluster.id=c\nnode.id=1\n${fields}`

test.each([
  {
    why: 'another node',
    files: { '/data/meta.properties': META('').replace('id=1', 'id=2') },
    says: 'belongs to node 2, not to node.id 1',
  },
  {
    why: 'another cluster',
    files: { '/data/meta.properties': META('') },
    clusterId: 'd',
    says: 'belongs to cluster c, not d',
  },
  {
    why: 'two clusters',
    files: {
      '/data/meta.properties': META(''),
      '/more/meta.properties': META('').replace('id=c', 'id=d'),
    },
    says: 'belongs to cluster d, not c',
  },
  {
    why: 'a copied directory',
    files: {
      '/data/meta.properties': META('directory.id=EcBj2HU8TJaSLKRhi_xImw'),
      '/more/meta.properties': META('directory.id=EcBj2HU8TJaSLKRhi_xImw'),
    },
    says: '/data and /more have the same directory.id',
  },
  {
    why: 'a malformed file',
    files: { '/data/meta.properties': 'version=7' },
    says: 'meta.properties has version 7',
  },
  {
    why: 'partitions without a metadata log',
    files: { '/data/meta.properties': META(''), '/data/orders-0/x': '' },
    says: 'holds no metadata log; list the directory that has __cluster_metadata-0 first',
  },
  {
    why: 'partitions without an identity',
    files: { '/data/__cluster_metadata-0/00000000000000000000.log': '', '/data/orders-0/x': '' },
    says: 'holds partitions (orders-0), but no meta.properties',
  },
])('openLogManager() refuses $why and writes nothing', ({ files, clusterId, says }) => {
  const disk = new SimulatedDisk()
  for (const [path, text] of Object.entries(files)) {
    disk.makeDirectory(path.slice(0, path.lastIndexOf('/')))
    rewrite(disk, path, text)
  }
  disk.makeDirectory('/more')
  expect(() => open(disk, { logDirs: ['/data', '/more'], clusterId })).toThrow(says)
  for (const [path, text] of Object.entries(files)) expect(decode(disk.readFile(path))).toBe(text)
  expect(disk.lock('/data/.lock')).toBeDefined()
})

test('openLogManager() completes the meta.properties of an old Kafka', () => {
  const disk = new SimulatedDisk()
  disk.makeDirectory('/data')
  rewrite(disk, '/data/meta.properties', 'version=0\nbroker.id=1\ncluster.id=c\n')
  const manager = open(disk)
  expect(decode(disk.readFile('/data/meta.properties'))).toBe(
    `version=1\ncluster.id=c\nnode.id=1\ndirectory.id=${manager.metadataDirectoryId}\n`,
  )
})
