// One connection: order, waiting, refusals, malformed input, and who holds whom back.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ClosesConnection } from '../../../routes/kafka/api.ts'
import { apiVersions } from '../../../routes/kafka/handlers/18-api-versions.ts'
import { settle } from '../../simulation/virtual-clock.ts'
import { openDoor } from './door-fixture.ts'
import { answered, echoApis, PIPELINED, question, SERIAL } from './echo.ts'

async function open(options: Parameters<typeof openDoor>[1] = {}) {
  const echo = echoApis()
  const door = await openDoor(echo.apis, options)
  return { ...echo, ...door, socket: door.connect() }
}

function ids(socket: { answers: Buffer[] }): number[] {
  return socket.answers.map((frame) => answered(frame)[0])
}

test('Answers leave in the order of their requests, however long each takes', async () => {
  const { socket, parked, started } = await open()
  socket.send(question('park', { id: 1 }), question('park', { id: 2 }), question('now', { id: 3 }))
  expect(started).toEqual(['park', 'park', 'now'])
  parked[1]?.answer()
  await settle()
  expect(ids(socket)).toEqual([])
  parked[0]?.answer()
  await settle()
  expect(socket.answers.map(answered)).toEqual([
    [1, 'park'],
    [2, 'park'],
    [3, 'now'],
  ])
})

test.each([
  { first: SERIAL, second: PIPELINED, together: false },
  { first: PIPELINED, second: SERIAL, together: false },
  { first: SERIAL, second: SERIAL, together: false },
  { first: PIPELINED, second: PIPELINED, together: true },
])(
  'Of API $first then $second both run together: $together',
  async ({ first, second, together }) => {
    const { socket, parked, started } = await open()
    socket.send(question('park', { key: first, id: 1 }), question('b', { key: second, id: 2 }))
    expect(started.includes('b')).toBe(together)
    // A request that may not start yet is the last that is read.
    expect(socket.isReading).toBe(together)
    parked[0]?.answer()
    await settle()
    expect(ids(socket)).toEqual([1, 2])
    expect(socket.isReading).toBe(true)
  },
)

test('hold() keeps the next request of a pipelined API from starting until it is released', async () => {
  const { socket, parked, started } = await open()
  socket.send(question('hold'), question('next'))
  expect(started).toEqual(['hold'])
  parked[0]?.release?.()
  expect(started).toEqual(['hold', 'next'])
  expect(socket.answers).toEqual([])
  parked[0]?.answer()
  await settle()
  expect(socket.answers).toHaveLength(2)
})

test('An answer ends what hold() began', async () => {
  const { socket, parked, started } = await open()
  socket.send(question('hold'), question('next'))
  parked[0]?.answer()
  await settle()
  expect(started).toEqual(['hold', 'next'])
})

test('A request that wants no answer gets none, and does not hold up the next', async () => {
  const { socket } = await open()
  socket.send(Buffer.concat([question('silent', { id: 1 }), question('a', { id: 2 })]))
  expect(socket.answers.map(answered)).toEqual([[2, 'a']])
})

test.each([
  ['refused', 'refused: POLICY_VIOLATION'],
  ['fault', 'fault: KAFKA_STORAGE_ERROR'],
])('A handler that throws (%s) is answered in its own form', async (text, answer) => {
  const { socket, said } = await open()
  socket.send(question(text, { id: 5 }))
  expect(socket.answers.map(answered)).toEqual([[5, answer]])
  expect(said).toEqual([])
})

test('A handler that rejects is answered as one that throws', async () => {
  const { socket, parked } = await open()
  const { KafkaError } = await import('#storage/base/errors.ts')
  socket.send(question('park', { id: 5 }))
  parked[0]?.refuse(new KafkaError('INVALID_CONFIG', 'No'))
  await settle()
  expect(socket.answers.map(answered)).toEqual([[5, 'park: INVALID_CONFIG']])
})

test.each([
  ['closes', /^Closed the connection from 192\.0\.2\.1:50000: acks=0 could not be appended$/],
  ['bug', /^Closed the connection from 192\.0\.2\.1:50000: Bug: RangeError: Not planned\n/],
])('A handler that throws %s closes the connection, after earlier answers', async (text, line) => {
  const { socket, said, parked, door, started } = await open()
  const after = question('after', { id: 3 })
  socket.send(question('park', { id: 1 }), Buffer.concat([question(text, { id: 2 }), after]))
  expect(socket.isEnded).toBe(false)
  parked[0]?.answer()
  await settle()
  expect(ids(socket)).toEqual([1])
  expect(socket.isEnded).toBe(true)
  expect(started).toEqual(['park', text])
  expect(said).toEqual([expect.stringMatching(line)])
  socket.destroy()
  expect(door.connectionCount).toBe(0)
})

test('A bug in a handler that had waited closes the connection too', async () => {
  const { socket, parked, said } = await open()
  socket.send(question('park'), question('park'))
  parked[0]?.refuse(new TypeError('Later'))
  await settle()
  expect(socket.isClosed).toBe(true)
  expect(said).toHaveLength(1)
  parked[1]?.answer()
  await settle()
  expect(socket.answers).toEqual([])
})

test.each([
  { why: 'a refusal', error: new ClosesConnection('acks=0 again'), count: 1 },
  { why: 'a bug', error: new TypeError('Later'), count: 2 },
])(
  'What closes a connection is said once, then $why of what was under way: $count lines',
  async ({ error, count }) => {
    const { socket, parked, said } = await open()
    socket.send(question('park'), question('park'), question('closes'))
    parked[1]?.refuse(error)
    await settle()
    expect(said).toHaveLength(count)
    expect(said[0]).toContain('acks=0 could not be appended')
    parked[0]?.refuse(error)
    await settle()
    expect(socket.isClosed).toBe(true)
    expect(said.filter((line) => !line.includes('Bug: '))).toHaveLength(1)
  },
)

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

test.each([
  { why: 'a negative length', bytes: hex('ffffffff'), line: 'A request of -1 bytes' },
  { why: 'a length of 2^31 - 1', bytes: hex('7fffffff'), line: 'A request of 2147483647 bytes' },
  {
    why: 'HTTP',
    bytes: Buffer.from('GET / HTTP/1.1'),
    line: 'bytes is outside [0, 1000000]: the client speaks HTTP',
  },
  { why: 'TLS', bytes: hex('16030100f4'), line: ': the client speaks TLS' },
  { why: 'an empty request', bytes: hex('00000000'), line: 'outside' },
  { why: 'half an API key', bytes: hex('00000001 03'), line: 'outside' },
  { why: 'a key without a version', bytes: hex('00000002 0384'), line: 'outside' },
  { why: 'an unknown API', bytes: hex('0000000a 03e7 0000 00000001 ffff'), line: 'API 999' },
  { why: 'an unknown version', bytes: hex('0000000a 0384 0002 00000001 ffff'), line: 'Version 2' },
  { why: 'a negative version', bytes: hex('0000000a 0384 ffff 00000001 ffff'), line: 'Version -1' },
  {
    why: 'a header that ends early',
    bytes: hex('00000009 0384 0000 00000001 ff'),
    line: 'outside',
  },
  {
    why: 'a client id that runs out',
    bytes: hex('0000000a 0384 0000 00000001 7fff'),
    line: '32767',
  },
  { why: 'no body', bytes: hex('0000000a 0384 0000 00000001 ffff'), line: 'outside' },
  {
    why: 'text longer than the request',
    bytes: hex('0000000c 0384 0000 00000001 ffff 7fff'),
    line: '32767',
  },
])('A connection that sends $why is closed with one line and no answer', async (input) => {
  const { socket, said, door } = await open()
  socket.send(input.bytes)
  expect(socket.isClosed).toBe(true)
  expect(socket.received).toHaveLength(0)
  expect(said).toEqual([expect.stringContaining(input.line)])
  expect([door.connectionCount, door.queuedRequestBytes]).toEqual([0, 0])
})

test('Bytes behind a request that parsed are passed over, as in Kafka', async () => {
  const { socket } = await open()
  const frame = Buffer.concat([question('a', { id: 1 }), Buffer.from('more')])
  frame.writeInt32BE(frame.length - 4)
  socket.send(frame)
  expect(socket.answers.map(answered)).toEqual([[1, 'a']])
})

test('A peer that does not read stops the reading of its requests, and gets everything later', async () => {
  const { socket, started, releasedCount } = await open()
  socket.isStuck = true
  const many = Array.from({ length: 50 }, (_, id) => question('lend 100000', { id }))
  socket.send(Buffer.concat(many))
  expect(socket.isReading).toBe(false)
  // One gathering of answers is under way at most.
  expect(socket.waitingBytes).toBeLessThan(200_000)
  expect(started.length).toBeLessThan(3)
  expect(releasedCount()).toBe(0)
  while (socket.answers.length < 50) socket.unstick()
  expect(ids(socket)).toEqual(many.map((_, id) => id))
  expect(releasedCount()).toBe(50)
  expect(socket.isReading).toBe(true)
})

test('Answers that wait behind a parked one are bounded', async () => {
  const { socket, started } = await open()
  socket.send(Buffer.concat([question('park'), ...Array(50).fill(question('lend 100000'))]))
  expect(started.length).toBeLessThan(14)
  expect(socket.isReading).toBe(false)
})

test.each(['a', 'silent', 'refused'])(
  'Any number of requests (%s) may come at once',
  async (text) => {
    const { socket, started } = await open()
    socket.send(Buffer.concat(Array(1_000).fill(question(text))))
    expect(started).toHaveLength(1_000)
    expect(socket.answers).toHaveLength(text === 'silent' ? 0 : 1_000)
    expect(socket.isReading).toBe(true)
  },
)

test('Requests that wait for their answers are bounded', async () => {
  const { socket, started, parked } = await open()
  socket.send(Buffer.concat(Array(200).fill(question('park'))))
  expect(started).toHaveLength(64)
  for (let done = 0; done < 200; done++) {
    parked[done]?.answer()
    await settle()
  }
  expect(socket.answers).toHaveLength(200)
})

test('The bytes of requests that wait for their answers are bounded', async () => {
  const { socket, started, parked, door } = await open()
  const large = `park ${'x'.repeat(30_000)}`
  const padded = Buffer.concat([question(large), Buffer.alloc(900_000)])
  padded.writeInt32BE(padded.length - 4)
  for (let sent = 0; sent < 40 && socket.isReading; sent++) socket.send(padded)
  expect(started.length).toBeGreaterThan(15)
  expect(door.queuedRequestBytes).toBeLessThan(20_000_000)
  const before = started.length
  parked[0]?.answer()
  await settle()
  expect(started).toHaveLength(before + 1)
})

test('Lent bytes are given back when the connection closes before they were sent', async () => {
  const { socket, parked, releasedCount } = await open()
  socket.send(question('park'), question('lend 50000'))
  expect(releasedCount()).toBe(0)
  socket.destroy()
  expect(releasedCount()).toBe(1)
  parked[0]?.answer()
  await settle()
})

test('Waits learn that their client has gone', async () => {
  const { socket, parked } = await open()
  socket.send(question('park'))
  expect(parked[0]?.signal.aborted).toBe(false)
  socket.events?.ended()
  expect(parked[0]?.signal.aborted).toBe(true)
  expect(socket.isEnded).toBe(false)
  parked[0]?.answer()
  await settle()
  expect(socket.isEnded).toBe(true)
})

test.each(['silent', 'now'])(
  'What a peer sent before it closed its side is done, in order, whatever kept it waiting: %s',
  async (text) => {
    const { socket, parked, started } = await open()
    socket.send(
      question('park', { key: SERIAL, id: 1 }),
      Buffer.concat([question(`${text} 1`, { id: 2 }), question(`${text} 2`, { id: 3 })]),
    )
    socket.events?.ended()
    expect(started).toEqual(['park'])
    parked[0]?.answer()
    await settle()
    expect(started).toEqual(['park', `${text} 1`, `${text} 2`])
    expect(ids(socket)).toEqual(text === 'now' ? [1, 2, 3] : [1])
    expect(socket.isEnded).toBe(true)
  },
)

test('What waits for memory when its peer closes its side is done when there is room', async () => {
  const { connect, parked, started } = await open({ config: { queuedMaxRequestBytes: 50 } })
  const [left, right] = [connect(), connect()]
  left.send(question(`park ${'x'.repeat(60)}`))
  right.send(question('silent'))
  right.events?.ended()
  expect(started).toHaveLength(1)
  expect(right.isEnded).toBe(false)
  parked[0]?.answer()
  await settle()
  expect(started[1]).toBe('silent')
  expect(right.isEnded).toBe(true)
})

test('Lent bytes are given back when the answer has no form on the wire', async () => {
  const { socket, releasedCount, said } = await open()
  socket.send(question('lend 50000 unencodable'))
  expect(releasedCount()).toBe(1)
  expect(socket.isClosed).toBe(true)
  expect(said).toHaveLength(1)
})

test('Lent bytes are given back behind an answer that closes the connection, before and after it does', async () => {
  const { socket, parked, releasedCount } = await open()
  socket.send(question('park'), question('park'), question('lend 50000'))
  socket.send(question('park 50000 lend'))
  parked[1]?.refuse(new TypeError('Later'))
  await settle()
  expect(releasedCount()).toBe(1)
  parked[2]?.answer()
  await settle()
  expect(releasedCount()).toBe(2)
  parked[0]?.answer()
  await settle()
  expect(socket.answers).toHaveLength(1)
  expect(socket.isEnded).toBe(true)
})

test('A peer that closes its side after a request still gets the answer that is there', async () => {
  const { socket } = await open()
  socket.send(question('a', { id: 1 }))
  socket.events?.ended()
  expect(socket.isEnded).toBe(true)
  expect(ids(socket)).toEqual([1])
})

test('queued.max.request.bytes holds back every connection until there is room again', async () => {
  const { connect, parked, started, door } = await open({ config: { queuedMaxRequestBytes: 50 } })
  const [left, right] = [connect(), connect()]
  left.send(question(`park ${'x'.repeat(60)}`))
  expect(door.queuedRequestBytes).toBeGreaterThan(50)
  expect([left.isReading, right.isReading]).toEqual([false, true])
  // What was read before the limit was reached waits too.
  right.send(question('b'))
  expect(started).toHaveLength(1)
  expect(right.isReading).toBe(false)
  parked[0]?.answer()
  await settle()
  expect(started).toHaveLength(2)
  expect(right.answers).toHaveLength(1)
  expect([left.isReading, right.isReading]).toEqual([true, true])
  expect(door.queuedRequestBytes).toBe(0)
})

test('A request that is partly here is finished whatever the memory', async () => {
  const { connect, door } = await open({ config: { queuedMaxRequestBytes: 50 } })
  const whole = question('y'.repeat(100), { id: 9 })
  const [left, right] = [connect(), connect()]
  left.send(whole.subarray(0, 20))
  expect(door.queuedRequestBytes).toBe(whole.length - 4)
  right.events?.data(whole)
  expect(right.isReading).toBe(false)
  left.send(whole.subarray(20))
  expect(ids(left)).toEqual([9])
  expect(ids(right)).toEqual([9])
})

test('The bytes of a request whose version is refused are given back', async () => {
  const { connect } = await openDoor([apiVersions])
  const socket = connect()
  const request = new Uint8Array(30_004)
  request.set(hex('00007530 0012 7fff 00000007 ffff'))
  socket.events?.data(request)
  expect(socket.answers).toHaveLength(1)
  expect(request.length).toBe(0)
})

test('Any cut of the same requests gives the same answers', async () => {
  const verbs = fc.constantFrom('a', 'silent', 'refused', 'lend 20', 'lend 70000')
  const requests = fc.array(fc.tuple(verbs, fc.constantFrom(SERIAL, PIPELINED)), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(requests, fc.array(fc.nat(2_000), { maxLength: 8 }), async (asked, cuts) => {
      const stream = Buffer.concat(asked.map(([text, key], id) => question(text, { key, id })))
      const whole = await open()
      whole.socket.send(stream)
      const cut = await open()
      let start = 0
      for (const place of [...cuts.map((at) => at % (stream.length + 1)), stream.length].sort(
        (left, right) => left - right,
      )) {
        cut.socket.send(stream.subarray(start, place))
        start = place
      }
      expect(Buffer.compare(whole.socket.received, cut.socket.received)).toBe(0)
      const expected = asked.flatMap(([text], id) => (text === 'silent' ? [] : [id]))
      expect(ids(cut.socket)).toEqual(expected)
    }),
    { numRuns: 100 },
  )
})

test('No bytes break anything but their own connection', async () => {
  const mutation = fc.tuple(fc.nat(60), fc.nat(255))
  await fc.assert(
    fc.asyncProperty(
      fc.array(mutation, { minLength: 1, maxLength: 4 }),
      fc.uint8Array({ maxLength: 60 }),
      async (mutations, garbage) => {
        const { connect, door, said } = await open()
        const [bad, good] = [connect(), connect()]
        const bytes = Buffer.concat([question('mutated'), question('lend 10'), garbage])
        for (const [at, byte] of mutations) bytes[at % bytes.length] = byte
        bad.send(bytes)
        good.send(question('fine', { id: 7 }))
        expect(good.answers.map(answered)).toEqual([[7, 'fine']])
        expect(said.length).toBeLessThanOrEqual(1)
        bad.destroy()
        expect(door.queuedRequestBytes).toBe(0)
        expect(said.join()).not.toContain('Bug')
      },
    ),
    { numRuns: 300 },
  )
})
