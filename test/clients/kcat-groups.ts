// kcat's balanced consumer, librdkafka's classic protocol, goes through the scenarios of groups.
import type { Answers, Target } from './client.ts'
import { type Kcat, kcatOf, lines, type Run } from './kcat-client.ts'

/** Each scenario has a topic and a group of its own. */
export async function runKcatGroups({ bootstrap }: Target): Promise<Answers> {
  const kcat = kcatOf(bootstrap)
  const strategies = ['range', 'roundrobin', 'cooperative-sticky', 'range,roundrobin']
  const all: [string, () => Promise<unknown>][] = [
    ...strategies.map((strategy): [string, () => Promise<unknown>] => [
      `read-on-${strategy}`,
      () => readOn(kcat, strategy),
    ]),
    ['static', () => staticMember(kcat)],
    ['two-topics', () => twoTopics(kcat)],
    ['share', () => share(kcat)],
    ['resets', () => resets(kcat)],
    ['refused', () => refused(kcat)],
  ]
  const answers = all.map(async ([name, run]): Promise<[string, unknown]> => [name, await run()])
  return new Map(await Promise.all(answers))
}

const fill = (kcat: Kcat, topic: string, first: number, count: number) =>
  kcat(
    ['-P', '-t', topic, '-p', '0'],
    Array.from({ length: count }, (_, at) => `record ${first + at}\n`).join(''),
  )

/** Reads until the end, or so many records; commits when it leaves. */
async function read(kcat: Kcat, group: string, topics: readonly string[], ...flags: string[]) {
  const until = flags.includes('-c') ? [] : ['-e']
  const early = ['-X', 'auto.offset.reset=earliest', '-X', 'session.timeout.ms=10000']
  const shown = ['-f', '%t %p %o %s\n']
  return outcome(await kcat(['-G', group, ...early, ...until, ...flags, ...shown, ...topics]))
}

const outcome = ({ code, stdout, stderr }: Run) => ({
  code,
  records: lines(stdout).toSorted(),
  said: lines(stderr)
    .map((line) => line.replace(/\(memberid [^,)]*/, '(memberid ID').replace(/\|\d+\.\d+\|/, '|'))
    .toSorted(),
})

async function readOn(kcat: Kcat, strategy: string) {
  const topic = `kcat-groups-${strategy.replace(',', '-or-')}`
  const flags = ['-X', `partition.assignment.strategy=${strategy}`]
  await fill(kcat, topic, 0, 5)
  const first = await read(kcat, topic, [topic], ...flags)
  await fill(kcat, topic, 5, 5)
  const some = await read(kcat, topic, [topic], ...flags, '-c', '2', '-X', 'max.in.flight=1')
  const rest = await read(kcat, topic, [topic], ...flags)
  return {
    first,
    some: some.code,
    rest: rest.records,
    nothing: await read(kcat, topic, [topic], ...flags),
  }
}

async function staticMember(kcat: Kcat) {
  const topic = 'kcat-groups-static'
  const flags = ['-X', 'group.instance.id=one']
  await fill(kcat, topic, 0, 3)
  const first = await read(kcat, topic, [topic], ...flags)
  await fill(kcat, topic, 3, 3)
  return { first, again: await read(kcat, topic, [topic], ...flags) }
}

async function twoTopics(kcat: Kcat) {
  const topics = ['kcat-groups-one', 'kcat-groups-two']
  for (const topic of topics) await fill(kcat, topic, 0, 4)
  const named = await read(kcat, 'kcat-groups-named', topics)
  const pattern = await read(kcat, 'kcat-groups-pattern', ['^kcat-groups-(one|two)$'])
  return { named: named.records, pattern: pattern.records }
}

/** Two at the same time on one partition: one of them has it. */
async function share(kcat: Kcat) {
  const topic = 'kcat-groups-share'
  await fill(kcat, topic, 0, 6)
  const both = await Promise.all([0, 1].map(() => read(kcat, topic, [topic], '-c', '3')))
  return { records: both.flatMap(({ records }) => records).toSorted() }
}

async function resets(kcat: Kcat) {
  const topic = 'kcat-groups-resets'
  await fill(kcat, topic, 0, 3)
  const answers: Record<string, unknown> = {}
  for (const reset of ['earliest', 'latest', 'error']) {
    const { records, code } = await read(
      kcat,
      `${topic}-${reset}`,
      [topic],
      '-X',
      `auto.offset.reset=${reset}`,
    )
    answers[reset] = { records, code }
  }
  return answers
}

async function refused(kcat: Kcat) {
  const topic = 'kcat-groups-refused'
  await fill(kcat, topic, 0, 1)
  const short = ['-X', 'session.timeout.ms=20', '-X', 'heartbeat.interval.ms=10']
  const { code, said } = await read(kcat, topic, [topic], ...short, '-c', '1')
  return { code, said }
}
