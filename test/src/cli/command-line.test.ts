// What every command shares: help, exit codes, messages; and the commands that need no broker.
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { run } from './fixture.ts'

test.each([
  [['--help'], 'Usage: millrace'],
  [['serve', '--help'], '--config <file>'],
  [['topics', '--help'], 'describe'],
  [['topics', 'create', '--help'], '--partitions'],
  [['produce', '--help'], 'Formats:'],
  [['consume', '--help'], '--follow'],
  [['inspect', '--help'], '--records'],
  [['recovery', '--help'], '--url'],
  [['help', 'produce'], 'Usage: millrace produce'],
  [['--version'], '9.9.9'],
])('millrace %j explains itself with exit code 0', async (argv, text) => {
  const { exitCode, output, error } = await run(argv)
  expect({ exitCode, error }).toEqual({ exitCode: 0, error: '' })
  expect(output).toContain(text)
})

test.each([
  [['frobnicate'], "error: Unknown command 'frobnicate'"],
  [['topcs'], 'Did you mean topics?'],
  [['inspect'], "error: Missing required argument 'path'"],
  [['inspect', 'x', '--deep'], "error: Unknown option '--deep'"],
  [['consume', 't', '--max', 'x'], 'whole number'],
  [['consume', 't', '--from', 'somewhere'], 'error: --from somewhere is none of'],
  [['consume', 't', '--format', 'xml'], 'Allowed choices are json, raw, table'],
  [['serve', '--set', 'novalue'], 'name=value'],
  [['topics', 'alter', 't'], 'error: There is nothing to alter'],
  [['topics', 'size', '--target', '1'], '--producer'],
  [
    ['topics', 'size', '--target', '1x', '--producer', '1', '--consumer', '1'],
    'error: 1x is not a throughput',
  ],
])('millrace %j is not understood: exit code 2', async (argv, text) => {
  const { exitCode, output, error } = await run(argv)
  expect(error).toContain(text)
  expect(error).toMatch(/^error: /)
  expect({ exitCode, output }).toEqual({ exitCode: 2, output: '' })
})

test('millrace without a command prints its help: exit code 2', async () => {
  const { exitCode, error } = await run([])
  expect(exitCode).toBe(2)
  expect(error).toContain('Usage: millrace')
})

test('millrace says what to do when there is no broker', async () => {
  const { exitCode, error } = await run(['topics', 'list'])
  expect(exitCode).toBe(1)
  expect(error).toBe(
    "error: Can't reach http://127.0.0.1:8082. Start a broker with millrace serve, or name another one with --url.\n",
  )
})

test('millrace colours its messages on a terminal only', async () => {
  const plain = await run(['topics', 'list'])
  const coloured = await run(['topics', 'list'], { isTerminal: true })
  expect(plain.error).not.toContain('\u001b')
  expect(coloured.error).toContain('\u001b[31merror:\u001b[0m')
})

test('millrace takes the address from --url, then from MILLRACE_URL', async () => {
  const asked: string[] = []
  const fetch = (request: Request) => {
    asked.push(request.url)
    return Promise.resolve(Response.json([]))
  }
  const environment = { MILLRACE_URL: 'http://env:1/' }
  await run(['topics', 'list'], { fetch, environment })
  await run(['topics', 'list', '--url', 'flag:2'], { fetch, environment })
  expect(asked).toEqual(['http://env:1/topics', 'http://flag:2/topics'])
})

test('millrace names an answer that is not from a broker', async () => {
  const fetch = () => Promise.resolve(new Response('<html>', { status: 404 }))
  const { exitCode, error } = await run(['recovery'], { fetch })
  expect(exitCode).toBe(1)
  expect(error).toContain('answered 404. Check that --url names a Millrace broker.')
})

test('millrace serve turns its flags into broker keys', async () => {
  const { served } = await run([
    ...['serve', '--config', 'server.properties', '--data', '/d', '--http', ':0'],
    ...['--kafka', '[::1]:0'],
    ...['--set', 'num.partitions=3', '--set', 'log.dirs=/e', '--set', 'super.users=User:a=b'],
  ])
  expect(served).toEqual([
    {
      configFile: 'server.properties',
      flags: {
        'num.partitions': '3',
        'log.dirs': '/d',
        'super.users': 'User:a=b',
        'millrace.http.listener': ':0',
        listeners: 'PLAINTEXT://[::1]:0',
      },
    },
  ])
  expect((await run(['serve'])).served).toEqual([{ flags: {} }])
})

test.each([
  [['200MB/s', '10MB/s', '20MB/s'], '20'],
  [['200MB/s', '50', '20MB/s'], '4000000'],
  [['100MiB', '30MiB/s', '25MiB/s'], '4'],
  [['0.3MB', '0.1MB', '1G'], '3'],
  [['1k', '800', '900'], '2'],
  [['1', '5', '5'], '1'],
])(
  'millrace topics size of %j prints %s',
  async ([target = '', producer = '', consumer = ''], partitions) => {
    const flags = ['--target', target, '--producer', producer, '--consumer', consumer]
    const { exitCode, output } = await run(['topics', 'size', ...flags])
    expect({ exitCode, output }).toEqual({ exitCode: 0, output: `${partitions}\n` })
  },
)

test.each([
  [['topics', 'list']],
  [['inspect', fileURLToPath(new URL('../../golden/datadir', import.meta.url))]],
])('millrace %j ends quietly when nobody reads its output', async (argv) => {
  const fetch = () => Promise.resolve(Response.json(['a']))
  const { exitCode, error } = await run(argv, { fetch, isPipeClosed: true })
  expect({ exitCode, error }).toEqual({ exitCode: 0, error: '' })
})
