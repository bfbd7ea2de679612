// ApiVersions, byte by byte: the one answer that must be right before anything else is.
import { expect, test } from 'vitest'
import { api } from '#routes/kafka/api.ts'
import { APIS } from '#routes/kafka/dispatch.ts'
import { apiVersions } from '#routes/kafka/handlers/18-api-versions.ts'
import type { Broker } from '#src/broker/broker.ts'
import { ProduceRequest, ProduceResponse } from '#src/protocol/messages/00-produce.ts'
import { openDoor } from '../door-fixture.ts'

const produce = api({
  request: ProduceRequest,
  response: ProduceResponse,
  advertised: [0, 13],
  handle: () => ({ responses: [] }),
  refuse: () => ({ responses: [] }),
})
const features: ReturnType<Broker['features']> = {
  supported: [
    { name: 'kraft', minVersion: 0, maxVersion: 1 },
    { name: 'meta', minVersion: 7, maxVersion: 30 },
  ],
  finalized: [{ name: 'meta', level: 30 }],
  epoch: 258,
}
const broker = { features: () => features } as Partial<Broker> as Broker

function bytes(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex')
}

/** With its length in front, as hex. */
function framed(body: string): string {
  const digits = bytes(body).toString('hex')
  return (digits.length / 2).toString(16).padStart(8, '0') + digits
}

async function answerTo(request: string): Promise<string> {
  const { connect, said } = await openDoor([apiVersions, produce], { broker })
  const socket = connect()
  socket.send(bytes(framed(request)))
  expect(said).toEqual([])
  return socket.received.toString('hex')
}

const NAMED = '05 6e616d65 04 312e30 00' // "name", "1.0", no tags
const RANGES_V0 = '00000002 0000 0000 000d 0012 0000 0004'
const RANGES_V3 = '03 0000 0000 000d 00 0012 0000 0004 00'
const META_SUPPORTED = '05 6d657461 0007 001e 00'
const KRAFT_SUPPORTED = '06 6b72616674 0000 0001 00'
const FINALIZED = '01 08 0000000000000102 02 0b 02 05 6d657461 001e 001e 00'

test.each([
  {
    version: 0,
    request: '0012 0000 00000007 0001 63',
    answer: `00000007 0000 ${RANGES_V0}`,
  },
  {
    version: 1,
    request: '0012 0001 00000007 ffff',
    answer: `00000007 0000 ${RANGES_V0} 00000000`,
  },
  {
    version: 2,
    request: '0012 0002 80000000 0000',
    answer: `80000000 0000 ${RANGES_V0} 00000000`,
  },
  {
    version: 3,
    request: `0012 0003 00000007 0001 63 00 ${NAMED}`,
    // The header has no tag section. A supported feature that starts at 0 is left out.
    answer: `00000007 0000 ${RANGES_V3} 00000000 03 00 0b 02 ${META_SUPPORTED} ${FINALIZED}`,
  },
  {
    version: 4,
    request: `0012 0004 00000007 0001 63 00 ${NAMED}`,
    answer: `00000007 0000 ${RANGES_V3} 00000000 03 00 16 03 ${KRAFT_SUPPORTED} ${META_SUPPORTED} ${FINALIZED}`,
  },
])('ApiVersions v$version is answered as Kafka does', async ({ request, answer }) => {
  expect(await answerTo(request)).toBe(framed(answer))
})

test.each([
  ['5, with a body that nobody here knows', '0012 0005 00000009 0001 63 00 05 6e616d65 ffffffff'],
  ['32767', '0012 7fff 00000009 ffff 00'],
  ['-1', '0012 ffff 00000009 ffff'],
])(
  'ApiVersions of version %s is refused in version 0 with its own range',
  async (_why, request) => {
    expect(await answerTo(request)).toBe(
      bytes('00000010 00000009 0023 00000001 0012 0000 0004').toString('hex'),
    )
  },
)

test.each([
  ['no name', '01 04 312e30 00'],
  ['a name that ends with a dash', '05 6e616d2d 04 312e30 00'],
  ['a version with a space', '05 6e616d65 04 312030 00'],
])('ApiVersions with %s is an invalid request', async (_why, body) => {
  const answer = await answerTo(`0012 0003 00000007 ffff 00 ${body}`)
  expect(answer).toBe(framed('00000007 002a 01 00000000 00'))
})

test('The connection goes on after an unknown version', async () => {
  const { connect } = await openDoor([apiVersions], { broker })
  const socket = connect()
  socket.send(bytes('0000000b 0012 0063 00000001 ffff 00 0000000a 0012 0000 00000002 ffff'))
  expect(socket.answers.map((answer) => answer.readInt32BE(0))).toEqual([1, 2])
})

test('APIS has each key once, in order, and advertises nothing that it does not serve but for Produce', () => {
  const keys = APIS.map(({ key }) => key)
  expect(keys).toEqual([...new Set(keys)].sort((left, right) => left - right))
  for (const { key, versions, advertised } of APIS) {
    expect(advertised, `${key}`).toEqual(key === 0 ? [0, versions[1]] : versions)
  }
})
