// APIs that come with their first request: they answer as their handlers do, and say why when they can't be had.
import { expect, test } from 'vitest'
import type { Api } from '../../../routes/kafka/api.ts'
import { APIS } from '../../../routes/kafka/dispatch.ts'
import { LateApi } from '../../../routes/kafka/late-api.ts'
import { settle } from '../../simulation/virtual-clock.ts'
import { openDoor } from './door-fixture.ts'
import { answered, echoApis, question, SERIAL } from './echo.ts'

const LATE = APIS.filter((one) => one instanceof LateApi)

async function open(load: (api: Api) => Promise<Api>) {
  const echo = echoApis()
  const [serial] = echo.apis as [Api]
  const range = { key: SERIAL, versions: [0, 1], flexible: 1 } as const
  const late = new LateApi(range, () => load(serial))
  const door = await openDoor([late])
  return { ...echo, ...door }
}

const ask = (text: string, id: number) => question(text, { key: SERIAL, id })

test.each(LATE.map((late) => [late.key, late] as const))(
  'API %i is what its handler says that it is',
  async (_key, late) => {
    const told = (api: Api) => ({
      key: api.key,
      versions: api.versions,
      advertised: api.advertised,
      isPipelined: api.isPipelined,
      refuseVersion: api.refuseVersion,
      headers: Array.from({ length: api.versions[1] + 1 }, (_, version) => [
        api.requestHeaderVersion(version),
        api.responseHeaderVersion(version),
      ]),
    })
    expect(told(late)).toEqual(told(await late.loaded()))
  },
)

test('LateApi is loaded with its first request and answers all in order, refusals too', async () => {
  let loads = 0
  const { connect, parked } = await open(async (api) => {
    loads++
    return await Promise.resolve(api)
  })
  expect(loads).toBe(0)
  const socket = connect()
  const frames = [ask('refused', 1), ask('a', 2), ask('park', 3), ask('fault', 4)]
  socket.send(Buffer.concat(frames))
  await settle()
  parked[0]?.answer()
  await settle()
  expect(socket.answers.map(answered)).toEqual([
    [1, 'refused: POLICY_VIOLATION'],
    [2, 'a'],
    [3, 'park'],
    [4, 'fault: KAFKA_STORAGE_ERROR'],
  ])
  expect(loads).toBe(1)
})

test.each([
  ['before it is loaded', 0],
  ['when it is loaded', 1],
])('A request that can not be read closes the connection, %s', async (_when, before) => {
  const { connect, said } = await open((api) => Promise.resolve(api))
  const socket = connect()
  for (let id = 1; id <= before; id++) socket.send(ask('a', id))
  await settle()
  const broken = ask('abc', 7)
  // The length of the text reaches beyond the request.
  broken.writeInt16BE(1_000, 14)
  socket.send(broken)
  await settle()
  expect(socket.answers).toHaveLength(before)
  expect(socket.isClosed || socket.isEnded).toBe(true)
  expect(said).toHaveLength(1)
  expect(said[0]).not.toContain('Bug')
})

test('LateApi that can not be loaded closes the connection and says why, and is tried again', async () => {
  let loads = 0
  const { connect, said } = await open((api) =>
    ++loads === 1 ? Promise.reject(new Error('No such module')) : Promise.resolve(api),
  )
  const first = connect()
  first.send(ask('a', 1))
  await settle()
  expect(first.answers).toEqual([])
  expect(first.isClosed || first.isEnded).toBe(true)
  expect(said).toEqual([expect.stringContaining('No such module')])
  const second = connect()
  second.send(ask('b', 2))
  await settle()
  expect(second.answers.map(answered)).toEqual([[2, 'b']])
})
