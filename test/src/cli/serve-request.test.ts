// `millrace serve`, read with the library and without: the same request, or left to the library.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { plainServeRequest } from '#src/cli/serve-request.ts'
import { run } from './fixture.ts'

test('plainServeRequest() reads what is plainly right', () => {
  const flags = '--config c --data /d --http :0 --kafka :1 --set a=b --set x=y=z'.split(' ')
  expect(plainServeRequest(['serve', ...flags, '--set', ' t = u'])).toEqual({
    configFile: 'c',
    flags: {
      'log.dirs': '/d',
      'millrace.http.listener': ':0',
      listeners: 'PLAINTEXT://:1',
      a: 'b',
      x: 'y=z',
      t: ' u',
    },
  })
  expect(plainServeRequest(['serve'])).toEqual({ flags: {} })
})

test.each([
  [[]],
  [['topics', 'list']],
  [['--help']],
  [['serve', '--help']],
  [['serve', 'x']],
  [['serve', 'x', 'y']],
  [['serve', '--data']],
  [['serve', '--data=/d']],
  [['serve', '--data', '--help']],
  [['serve', '--dat', '/d']],
  [['serve', '--set', 'novalue']],
  [['serve', '--set', '=value']],
])('plainServeRequest() leaves %j to the library', (argv) => {
  expect(plainServeRequest(argv)).toBeUndefined()
})

test('plainServeRequest() never reads a command line in another way than the library', async () => {
  const word = fc.constantFrom(
    ...['--config', '--data', '--http', '--kafka', '--set', '--help', '-V', '--', '--data=/e'],
    ...['/d', ':0', '', ' ', '-1', 'a=b', ' a = b ', 'a=c=d', '=b', 'plain'],
  )
  const flag = fc.tuple(fc.constantFrom('--config', '--data', '--http', '--kafka', '--set'), word)
  const lines = fc.oneof(
    fc.array(word, { maxLength: 5 }),
    fc.array(flag, { maxLength: 4 }).map((flags) => flags.flat()),
  )
  await fc.assert(
    fc.asyncProperty(lines, async (rest) => {
      const request = plainServeRequest(['serve', ...rest])
      if (request === undefined) return
      const { exitCode, served } = await run(['serve', ...rest])
      expect({ exitCode, served }).toEqual({ exitCode: 0, served: [request] })
    }),
    { numRuns: 500 },
  )
})
