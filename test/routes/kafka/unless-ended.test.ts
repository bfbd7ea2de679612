// What goes on behind an answer that came early: it has its bytes, whatever has become of its request.
import { expect, test } from 'vitest'
import { joinGroup } from '#routes/kafka/handlers/11-join-group.ts'
import { syncGroup } from '#routes/kafka/handlers/14-sync-group.ts'
import type { Broker } from '#src/broker/broker.ts'
import { JoinGroupRequest } from '#src/protocol/messages/11-join-group.ts'
import { SyncGroupRequest } from '#src/protocol/messages/14-sync-group.ts'
import { RequestHeader } from '#src/protocol/messages/headers.ts'
import { settle } from '../../simulation/virtual-clock.ts'
import { openDoor } from './door-fixture.ts'

const VERSION = 3
/** More than the chunks that are left to the garbage collector. */
const BYTES = new Uint8Array(20_000).map((_, at) => at % 251)

/** A door to groups that look at a request only when they are let. */
async function openGroups() {
  const { promise: room, resolve: release } = Promise.withResolvers<void>()
  const seen: Uint8Array[] = []
  const groups = {
    async join(_session: unknown, { protocols }: JoinGroupRequest) {
      await room
      seen.push(...protocols.map(({ metadata }) => metadata))
    },
    async sync(_session: unknown, { assignments }: SyncGroupRequest) {
      await room
      seen.push(...assignments.map(({ assignment }) => assignment))
    },
  }
  const broker = { groups } as unknown as Broker
  const { connect } = await openDoor([joinGroup, syncGroup], { broker })
  return { socket: connect(), release, seen }
}

function requestOf(key: number, body: Uint8Array): Uint8Array {
  const header = RequestHeader.encode(
    { requestApiKey: key, requestApiVersion: VERSION, correlationId: 1, clientId: 'test' },
    1,
  )
  const length = Buffer.alloc(4)
  length.writeInt32BE(header.length + body.length)
  return Uint8Array.from(Buffer.concat([length, header, body]))
}

const JOIN = JoinGroupRequest.encode(
  {
    groupId: 'g',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: BYTES }],
  },
  VERSION,
)
const SYNC = SyncGroupRequest.encode(
  {
    groupId: 'g',
    generationId: 1,
    memberId: 'm',
    assignments: [{ memberId: 'm', assignment: BYTES }],
  },
  VERSION,
)

test.each([
  { name: 'JoinGroup', key: 11, body: JOIN, how: 'breaks its connection' },
  { name: 'SyncGroup', key: 14, body: SYNC, how: 'breaks its connection' },
  { name: 'JoinGroup', key: 11, body: JOIN, how: 'closes its side' },
  { name: 'SyncGroup', key: 14, body: SYNC, how: 'closes its side' },
])(
  'A $name whose client $how while it waits still has all of its bytes',
  async ({ key, body, how }) => {
    const { socket, release, seen } = await openGroups()
    const request = requestOf(key, body)
    socket.events?.data(request)
    if (how === 'closes its side') socket.events?.ended()
    else socket.destroy()
    await settle()
    // The answer has come, and has given the request back.
    expect(request.length).toBe(0)
    expect(seen).toEqual([])
    release()
    await settle()
    expect(seen.map((bytes) => Buffer.compare(bytes, BYTES))).toEqual([0])
  },
)
