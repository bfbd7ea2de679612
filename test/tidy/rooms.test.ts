// The table of rooms, on made-up imports.
import { expect, test } from 'vitest'
import { forbiddenImport, forbiddenPackage, unknownRooms, wrongSpelling } from './rooms.ts'

test.each([
  ['main.ts', 'mod.ts'],
  ['main.ts', 'src/cli/cli.ts'],
  ['mod.ts', 'storage/log/partition-log.ts'],
  ['mod.ts', 'routes/http/app.ts'],
  ['routes/http/topics.ts', 'routes/http/stream/sse.ts'],
  ['routes/http/topics.ts', 'src/broker/broker.ts'],
  ['routes/http/topics.ts', 'src/access/session.ts'],
  ['routes/http/topics.ts', 'storage/base/errors.ts'],
  ['src/broker/broker.ts', 'src/partitions/partitions.ts'],
  ['src/partitions/partition.ts', 'storage/log/partition-log.ts'],
  ['src/partitions/partition.ts', 'storage/log-manager.ts'],
  ['src/cli/inspect.ts', 'storage/segment/segment.ts'],
  ['src/metadata/image.ts', 'src/protocol/codec/message.ts'],
  ['src/metadata/image.ts', 'storage/bytes/int64.ts'],
  ['storage/log-manager.ts', 'storage/upkeep/retention.ts'],
  ['storage/log/partition-log.ts', 'storage/state/producer-state.ts'],
  ['storage/batch/record.ts', 'storage/bytes/byte-reader.ts'],
])('forbiddenImport() lets %s import %s', (from, to) => {
  expect(forbiddenImport(from, to)).toBeUndefined()
})

test.each([
  ['storage/log/partition-log.ts', 'src/broker/broker.ts'],
  ['storage/base/errors.ts', 'mod.ts'],
  ['src/broker/broker.ts', 'routes/http/app.ts'],
  ['mod.ts', 'main.ts'],
  ['routes/http/app.ts', 'routes/kafka/server.ts'],
  ['routes/http/app.ts', 'src/partitions/partitions.ts'],
  ['routes/http/app.ts', 'src/access/acl-store.ts'],
  ['routes/http/app.ts', 'storage/log/partition-log.ts'],
  ['src/broker/broker.ts', 'storage/log/partition-log.ts'],
  ['src/metadata/image.ts', 'storage/log-manager.ts'],
  ['src/metadata/image.ts', 'src/access/acl-store.ts'],
  ['src/partitions/partition.ts', 'src/broker/broker.ts'],
  ['src/protocol/codec/message.ts', 'src/metadata/image.ts'],
  ['src/config/topic-configs.ts', 'src/cli/cli.ts'],
  ['src/cli/produce.ts', 'src/broker/broker.ts'],
  ['storage/segment/segment.ts', 'storage/log/partition-log.ts'],
  ['storage/segment/segment.ts', 'storage/state/producer-state.ts'],
  ['storage/base/errors.ts', 'storage/bytes/int64.ts'],
])('forbiddenImport() keeps %s from importing %s', (from, to) => {
  expect(forbiddenImport(from, to)).toBeTypeOf('string')
})

test.each([
  { from: 'src/broker/broker.ts', specifier: 'commander', isAllowed: false },
  { from: 'src/cli/cli.ts', specifier: 'commander', isAllowed: true },
  { from: 'storage/log/log.ts', specifier: 'hono/streaming', isAllowed: false },
  { from: 'src/platform/serve-node.ts', specifier: '@hono/node-server/x', isAllowed: true },
  { from: 'routes/http/app.ts', specifier: '@hono/node-server', isAllowed: false },
  { from: 'routes/http/app.ts', specifier: 'valibot', isAllowed: true },
])(
  'forbiddenPackage() says $isAllowed of $specifier in $from',
  ({ from, specifier, isAllowed }) => {
    expect(forbiddenPackage(from, specifier) === undefined).toBe(isAllowed)
  },
)

test.each([
  {
    from: 'src/a/b.ts',
    specifier: '../../storage/c.ts',
    to: 'storage/c.ts',
    why: 'write #storage/c.ts',
  },
  { from: 'src/a/b.ts', specifier: '#src/c/d.ts', to: 'src/c/d.ts', why: 'write a relative path' },
  { from: 'src/a/b.ts', specifier: '../c/d.ts', to: 'src/c/d.ts', why: undefined },
  { from: 'src/a/b.ts', specifier: '#storage/c.ts', to: 'storage/c.ts', why: undefined },
  { from: 'main.ts', specifier: './mod.ts', to: 'mod.ts', why: undefined },
])('wrongSpelling() says $why of $specifier', ({ from, specifier, to, why }) => {
  expect(wrongSpelling(from, specifier, to)).toBe(why)
})

test('unknownRooms() names sources outside the table', () => {
  const paths = ['src/helpers/a.ts', 'storage/misc/b.ts', 'src/cli/c.ts', 'storage/log/d.ts']
  expect(unknownRooms(paths)).toEqual(['src/helpers/a.ts', 'storage/misc/b.ts'])
})
