// Who takes part in runs of groups, and what is done to them.
import type { GroupRun, GroupRunOptions } from './group-run.ts'
import { absenceOf, type ProgramKind, type ProgramParts } from './programs.ts'

type Programs = GroupRunOptions['members']
type Entry = readonly [ProgramKind, ProgramParts]

const named = (kind: ProgramKind, from: number, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${kind}-${from + index}`)

const dozen: readonly Entry[] = [
  ['kafkajs', { members: named('kafkajs', 1, 2) }],
  ['kafkajs', { members: named('kafkajs', 3, 2) }],
  ['java', { members: named('java', 1, 3) }],
  ['platformatic', { members: named('platformatic', 1, 2) }],
  ['platformatic', { members: named('platformatic', 3, 1), isStatic: true }],
  ['kcat', { members: named('kcat', 1, 2) }],
]
const onlyConsumer: readonly Entry[] = [
  ['java', { members: named('java', 1, 4) }],
  ['java', { members: named('java', 5, 4), isStatic: true }],
  ['java', { members: named('java', 9, 4) }],
]

/** Twelve members, of the clients that are here: without some of them it is twelve of kafkajs that make it up. */
export function membersOf(protocol: 'classic' | 'consumer'): Programs {
  const wanted = protocol === 'classic' ? dozen : onlyConsumer
  const here = wanted.filter(([kind]) => absenceOf(kind) === undefined)
  const count = here.reduce((sum, [, { members = [] }]) => sum + members.length, 0)
  return count === 12 || protocol === 'consumer'
    ? here
    : [...here, ['kafkajs', { members: named('kafkajs', 5, 12 - count) }]]
}

/** Producers: some send a value once, and those of Java until it is acknowledged, in order and once. */
export function producersOf(): Programs {
  const all: readonly Entry[] = [
    ['kafkajs', { producers: ['kafkajs-a', 'kafkajs-b'] }],
    ['java', { producers: ['java-a'] }],
  ]
  return all.filter(([kind]) => absenceOf(kind) === undefined)
}

/** The broker is killed while all are at work, and once more in the middle of a rolling restart. */
export async function killAndRoll(run: GroupRun): Promise<void> {
  await run.progress(300)
  await run.killBroker()
  await run.progress(300)
  await run.settled()
  for (const [index, program] of run.members.entries()) {
    if (index === 1) await run.kill(program)
    else await run.terminate(program)
    const isMiddle = index === Math.floor(run.members.length / 2)
    if (isMiddle) await run.killBroker()
    program.start()
    if (!isMiddle) continue
    await run.settled()
    await run.progress(200)
  }
  await run.settled()
  await run.progress(300)
}

/** Each program is killed without a word, and comes back when its members have been given up. */
export async function killMembers(run: GroupRun): Promise<void> {
  await run.progress(300)
  for (const program of run.members) {
    await run.kill(program)
    await run.settledWithout(program)
    program.start()
    await run.settled()
    await run.progress(200)
  }
}

/** Each program stands still until its members have been given up, and does not know it when it goes on. */
export async function pauseMembers(run: GroupRun): Promise<void> {
  await run.progress(300)
  for (const program of run.members) {
    // Kcat is a process of its own, which would go on.
    if (program.kind === 'kcat') continue
    program.pause()
    run.note(`${program.members.join(', ')} stand still`)
    await run.settledWithout(program)
    await run.progress(200)
    program.resume()
    await run.settled()
    await run.progress(200)
  }
}

/** The broker is killed again and again, at any moment, while nobody waits for the group to settle. */
export async function killBrokerOften(run: GroupRun): Promise<void> {
  for (let round = 0; round < 8; round++) {
    await run.killBroker(200 + round * 100)
    await run.progress(50 + round * 20)
  }
  await run.settled(60_000)
}

/** Members are restarted one program after the other to speak the newer protocol, and then the older one again. */
export async function upgradeAndDowngrade(run: GroupRun): Promise<void> {
  for (const protocol of ['consumer', 'classic'] as const)
    for (const program of run.members) {
      await run.progress(100)
      await run.terminate(program)
      program.protocol = protocol
      program.start()
      await run.settled(60_000)
    }
  await run.progress(200)
}
