// Groups over HTTP: listed, described, reset, trimmed and deleted, with members that are consumers of the same door.
import { expect, test } from 'vitest'
import { runningBroker } from './running.ts'

const { ask, get, createTopic } = await runningBroker()

interface Group {
  group_id: string
  type: string
  state: string
  lag: number
  members: { member_id: string; client_id: string; assignment: unknown[] }[]
  offsets: { topic: string; partition: number; offset: number | null; lag: number | null }[]
}

test('Before there is any group there is an empty list, and nothing to describe or delete', async () => {
  expect(await get('/groups')).toEqual({ groups: [] })
  for (const [method, path] of [
    ['GET', '/groups/nobody'],
    ['DELETE', '/groups/nobody'],
  ] as const) {
    const response = await ask(method, path)
    expect(response.status).toBe(404)
    expect(await response.json()).toEqual({
      error_code: 40405,
      message: 'Group nobody does not exist',
    })
  }
})

/** A topic of this name with two partitions of ten records, from time 1000 on, one each 100 ms. */
async function filled(topic: string): Promise<void> {
  await createTopic(topic, 2)
  const records = Array.from({ length: 20 }, (_, index) => ({
    value: index,
    partition: index % 2,
    timestamp: 1000 + Math.floor(index / 2) * 100,
  }))
  expect((await ask('POST', `/topics/${topic}`, { records })).status).toBe(200)
}

async function reset(group: string, body: object) {
  const response = await ask('POST', `/groups/${group}/reset`, body)
  return { status: response.status, ...((await response.json()) as Record<string, unknown>) }
}

async function offsets(group: string): Promise<Record<string, number | null>> {
  const found = await get<Group>(`/groups/${group}`)
  return Object.fromEntries(
    found.offsets.map(({ topic, partition, offset }) => [`${topic}-${partition}`, offset]),
  )
}

/** A consumer of the group that is subscribed to the topic; its path. */
async function consumer(group: string, topic: string, name: string): Promise<string> {
  const body = { name, format: 'json', 'auto.offset.reset': 'earliest' }
  expect((await ask('POST', `/consumers/${group}`, body)).status).toBe(200)
  const path = `/consumers/${group}/instances/${name}`
  expect((await ask('POST', `${path}/subscription`, { topics: [topic] })).status).toBe(204)
  return path
}

test('GET /groups/{group} shows members, what they have, and how far they are', async () => {
  await filled('shown')
  await reset('shown-group', { to: 'offset', offset: 4, topics: ['shown'] })
  const path = await consumer('shown-group', 'shown', 'one')
  const group = await get<Group>('/groups/shown-group')
  expect(group).toMatchObject({
    group_id: 'shown-group',
    type: 'consumer',
    protocol_type: 'consumer',
    state: 'Stable',
    coordinator: 1,
    assignor: 'uniform',
    lag: 12,
    members: [
      {
        client_id: 'one',
        protocol: 'consumer',
        instance_id: null,
        rack: null,
        topics: ['shown'],
        topic_pattern: null,
      },
    ],
  })
  const [member] = group.members
  const both = [0, 1].map((partition) => ({ topic: 'shown', partition }))
  expect(member).toMatchObject({ assignment: both, target_assignment: both })
  expect(group.offsets[1]).toEqual({
    topic: 'shown',
    partition: 1,
    offset: 4,
    metadata: '',
    committed_at: expect.any(Number),
    log_start_offset: 0,
    log_end_offset: 10,
    lag: 6,
    member_id: member?.member_id,
  })
  await ask('DELETE', path)
})

test('GET /groups lists by state and type, whatever the case, and knows which there are', async () => {
  await filled('listed')
  await reset('listed-empty', { to: 'latest', topics: ['listed'] })
  const path = await consumer('listed-stable', 'listed', 'two')
  const names = async (query: string) => {
    const { groups } = await get<{ groups: { group_id: string }[] }>(`/groups${query}`)
    return groups.map(({ group_id }) => group_id).filter((name) => name.startsWith('listed'))
  }
  expect(await names('')).toEqual(['listed-empty', 'listed-stable'])
  expect(await names('?state=empty')).toEqual(['listed-empty'])
  expect(await names('?state=STABLE,assigning')).toEqual(['listed-stable'])
  expect(await names('?type=Classic')).toEqual(['listed-empty'])
  expect(await names('?type=consumer&state=empty')).toEqual([])
  const wrong = await ask('GET', '/groups?state=sleeping')
  expect(wrong.status).toBe(400)
  expect(await wrong.json()).toMatchObject({ message: expect.stringContaining('state=sleeping') })
  await ask('DELETE', path)
})

test('POST reset says what it does, and does so unless it is a dry run', async () => {
  await filled('moved')
  await reset('moved-group', { to: 'offset', offset: 5, topics: ['moved'] })
  const expected = {
    group_id: 'moved-group',
    members: [],
    read_again: 3,
    skipped: 0,
    partitions: [
      {
        topic: 'moved',
        partition: 1,
        from: 5,
        to: 2,
        clamped: false,
        read_again: 3,
        skipped: 0,
        log_start_offset: 0,
        log_end_offset: 10,
      },
    ],
  }
  const body = { to: 'shift', shift: -3, partitions: [{ topic: 'moved', partition: 1 }] }
  const preview = await reset('moved-group', { ...body, dry_run: true })
  expect(preview).toEqual({ status: 200, dry_run: true, ...expected })
  expect(await offsets('moved-group')).toEqual({ 'moved-0': 5, 'moved-1': 5 })
  expect(await reset('moved-group', body)).toEqual({ status: 200, dry_run: false, ...expected })
  expect(await offsets('moved-group')).toEqual({ 'moved-0': 5, 'moved-1': 2 })
})

test('POST reset goes where each way leads', async () => {
  await filled('ways')
  await reset('ways-group', { to: 'offset', offset: 5, topics: ['ways'] })
  const goes = async (body: object) => {
    const { partitions } = (await reset('ways-group', { ...body, dry_run: true })) as unknown as {
      partitions: { to: number }[]
    }
    return partitions.map(({ to }) => to)
  }
  expect(await goes({ to: 'earliest' })).toEqual([0, 0])
  expect(await goes({ to: 'latest' })).toEqual([10, 10])
  expect(await goes({ to: 'current' })).toEqual([5, 5])
  expect(await goes({ to: 'offset', offset: 99 })).toEqual([10, 10])
  expect(await goes({ to: 'shift', shift: 2 })).toEqual([7, 7])
  expect(await goes({ to: 'timestamp', timestamp: 1250 })).toEqual([3, 3])
  expect(await goes({ to: 'timestamp', timestamp: '1970-01-01T00:00:01.800Z' })).toEqual([8, 8])
  expect(await goes({ to: 'duration', duration: 'PT1H' })).toEqual([10, 10])
  expect(await goes({ to: 'duration', duration: 'P40000D' })).toEqual([0, 0])
  const partitions = [
    { topic: 'ways', partition: 1, offset: 1 },
    { topic: 'ways', partition: 0, offset: 9 },
  ]
  expect(await goes({ to: 'offset', partitions })).toEqual([9, 1])
})

test.each([
  { why: 'no way', body: {}, status: 422 },
  { why: 'an unknown way', body: { to: 'somewhere' }, status: 422 },
  { why: 'an unknown member', body: { to: 'latest', dryRun: true }, status: 422 },
  { why: 'an offset that is missing', body: { to: 'offset' }, status: 422 },
  { why: 'a shift that is missing', body: { to: 'shift', shift: null }, status: 422 },
  { why: 'a value of another way', body: { to: 'latest', offset: 3 }, status: 422 },
  { why: 'an offset that is no number', body: { to: 'offset', offset: '3' }, status: 422 },
  { why: 'half an offset', body: { to: 'offset', offset: 1.5 }, status: 422 },
  { why: 'no time', body: { to: 'timestamp', timestamp: 'noon' }, status: 400 },
  { why: 'no duration', body: { to: 'duration', duration: '1h' }, status: 422 },
  { why: 'an empty duration', body: { to: 'duration', duration: 'PT' }, status: 422 },
  { why: 'no topics', body: { to: 'latest', topics: [] }, status: 422 },
  {
    why: 'offsets of partitions another way',
    body: { to: 'latest', partitions: [{ topic: 'strict', partition: 0, offset: 1 }] },
    status: 422,
  },
  {
    why: 'partitions of which one has no offset',
    body: {
      to: 'offset',
      partitions: [
        { topic: 'strict', partition: 0, offset: 1 },
        { topic: 'strict', partition: 1 },
      ],
    },
    status: 422,
  },
  { why: 'an unknown topic', body: { to: 'latest', topics: ['none'] }, status: 404 },
  {
    why: 'an unknown partition',
    body: { to: 'latest', partitions: [{ topic: 'strict', partition: 2 }] },
    status: 404,
  },
  { why: 'a topic twice', body: { to: 'latest', topics: ['strict', 'strict'] }, status: 400 },
])('POST reset refuses $why with $status', async ({ body, status }) => {
  if ((await ask('GET', '/topics/strict')).status === 404) await filled('strict')
  await reset('strict-group', { to: 'offset', offset: 5, topics: ['strict'] })
  const refused = await reset('strict-group', body)
  expect(refused).toMatchObject({ status, message: expect.stringMatching(/\w/) })
  expect(await offsets('strict-group')).toEqual({ 'strict-0': 5, 'strict-1': 5 })
})

test('POST reset is refused while members are active, and puts them out where it is forced', async () => {
  await filled('busy')
  const path = await consumer('busy-group', 'busy', 'worker')
  const read = async () => {
    const url = `${path}/records?timeout=5000`
    const records = await get<{ offset: number }[]>(url, { accept: 'application/json' })
    return records.map(({ offset }) => offset)
  }
  const seen = [...(await read()), ...(await read())]
  expect(seen.length).toBe(20)
  expect((await ask('POST', `${path}/offsets`)).status).toBe(200)
  const back = { to: 'offset', offset: 8, topics: ['busy'] }
  expect(await reset('busy-group', back)).toMatchObject({
    status: 409,
    error_code: 409,
    message: expect.stringMatching(/^Group busy-group is Stable with 1 active member: worker at /),
  })
  const [member] = (await get<Group>('/groups/busy-group')).members
  const preview = await reset('busy-group', { ...back, dry_run: true, force: true })
  expect(preview).toMatchObject({ members: [member?.member_id], read_again: 4 })
  expect(await offsets('busy-group')).toEqual({ 'busy-0': 10, 'busy-1': 10 })
  const done = await reset('busy-group', { ...back, force: true })
  expect(done).toMatchObject({ status: 200, members: [member?.member_id], read_again: 4 })
  expect(await offsets('busy-group')).toEqual({ 'busy-0': 8, 'busy-1': 8 })
  const again: number[] = []
  while (again.length < 4) again.push(...(await read()))
  expect(again.sort()).toEqual([8, 8, 9, 9])
  await ask('DELETE', path)
}, 30_000)

test('DELETE offsets forgets those that are named', async () => {
  await filled('kept')
  await reset('kept-group', { to: 'offset', offset: 5, topics: ['kept'] })
  const path = '/groups/kept-group/offsets'
  const gone = await ask('DELETE', path, { partitions: [{ topic: 'kept', partition: 1 }] })
  expect(await gone.json()).toEqual({ offsets: [{ topic: 'kept', partition: 1, offset: 5 }] })
  expect(await offsets('kept-group')).toEqual({ 'kept-0': 5 })
  expect((await ask('DELETE', path, {})).status).toBe(422)
  expect((await ask('DELETE', path, { topics: ['none'] })).status).toBe(404)
  expect((await ask('DELETE', '/groups/nobody/offsets', { topics: ['kept'] })).status).toBe(404)
})

test('DELETE /groups/{group} removes it when nobody is in it', async () => {
  await filled('left')
  const path = await consumer('left-group', 'left', 'last')
  expect((await ask('DELETE', '/groups/left-group')).status).toBe(409)
  expect((await ask('DELETE', '/groups/left-group/offsets', { topics: ['left'] })).status).toBe(200)
  await ask('DELETE', path)
  expect((await ask('DELETE', '/groups/left-group')).status).toBe(204)
  expect((await ask('GET', '/groups/left-group')).status).toBe(404)
})

test('GET /metrics counts groups and offsets, and leaves lag to who asks for it', async () => {
  await filled('counted')
  const scrape = async () => (await ask('GET', '/metrics')).text()
  const total = (text: string) =>
    Number(/^millrace_offsets_committed_total (\d+)$/m.exec(text)?.[1] ?? Number.NaN)
  const before = total(await scrape())
  await reset('counted-group', { to: 'latest', topics: ['counted'] })
  const after = await scrape()
  expect(total(after)).toBe(before + 2)
  expect(after).toMatch(/^millrace_groups\{type="classic",state="Empty"\} \d+$/m)
  expect(after).toMatch(/^millrace_committed_offsets \d+$/m)
  expect(after).toContain('# TYPE millrace_offsets_committed_total counter')
})
