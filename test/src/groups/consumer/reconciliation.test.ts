// A member on its way to its target: every state, every kind of target, and what the client says to own.
import { expect, test } from 'vitest'
import {
  type ConsumerMember,
  MEMBER_STATE,
  newMember,
} from '../../../../src/groups/consumer/consumer-member.ts'
import type { OwnedPartitions } from '../../../../src/groups/consumer/owned-partitions.ts'
import { reconcile } from '../../../../src/groups/consumer/reconciliation.ts'
import { KafkaError } from '../../../../storage/base/errors.ts'

const { STABLE, UNREVOKED_PARTITIONS, UNRELEASED_PARTITIONS } = MEMBER_STATE

/** Partitions as `a0@10 b2@11`: topic, partition, epoch of the assignment. */
function owned(text: string): OwnedPartitions {
  const result = new Map<string, Map<number, number>>()
  for (const part of text.split(' ').filter(Boolean)) {
    const [, topic = '', partition, epoch] = /^([a-z])(\d+)@(\d+)$/.exec(part) ?? []
    const epochs = result.get(topic) ?? new Map()
    epochs.set(Number(partition), Number(epoch))
    result.set(topic, epochs)
  }
  return result
}

const text = (partitions: OwnedPartitions): string =>
  [...partitions]
    .flatMap(([topic, epochs]) => [...epochs].map(([one, epoch]) => `${topic}${one}@${epoch}`))
    .sort()
    .join(' ')

/** `a0 a1` by topic. */
function byTopic(said: string): Map<string, number[]> {
  const result = new Map<string, number[]>()
  for (const [topic = '', ...partition] of said.split(' ').filter(Boolean)) {
    result.set(topic, [...(result.get(topic) ?? []), Number(partition.join(''))])
  }
  return result
}

interface Case {
  readonly why: string
  /** State, epoch and previous epoch, what is assigned, what is to be given up. */
  readonly member: readonly [number, number, number, string, string]
  readonly target: readonly [epoch: number, partitions: string]
  /** Undefined: the client says nothing. */
  readonly owned?: string
  /** Partitions that other members have. */
  readonly taken?: string
  readonly subscribed?: string
  readonly changed?: boolean
  readonly next: readonly [number, number, number, string, string]
}

function memberOf([state, memberEpoch, previousMemberEpoch, assigned, pending]: Case['member']) {
  const partitions = { assigned: owned(assigned), pendingRevocation: owned(pending) }
  return { ...newMember('m'), state, memberEpoch, previousMemberEpoch, ...partitions }
}

function step({ member, target, owned: said, taken = '', subscribed = 'ab', changed }: Case) {
  const before: ConsumerMember = memberOf(member)
  const all = byTopic(`${taken} ${[member[3], member[4]].join(' ').replaceAll(/@\d+/g, '')}`)
  const after = reconcile(before, {
    targetEpoch: target[0],
    target: byTopic(target[1]),
    isSubscribed: (topic) => subscribed.includes(topic),
    hasSubscriptionChanged: changed ?? false,
    isOwned: (topic, partition) => all.get(topic)?.includes(partition) ?? false,
    owned:
      said === undefined
        ? null
        : Array.from(byTopic(said), ([topicId, partitions]) => ({ topicId, partitions })),
  })
  return { before, after }
}

const CASES: readonly Case[] = [
  {
    why: 'nothing new, the same member',
    member: [STABLE, 10, 10, 'a0@10', ''],
    target: [10, 'a0'],
    next: [STABLE, 10, 10, 'a0@10', ''],
  },
  {
    why: 'a newer epoch with the same target, the epoch alone',
    member: [STABLE, 10, 9, 'a0@10 a1@9', ''],
    target: [11, 'a0 a1'],
    next: [STABLE, 11, 10, 'a0@10 a1@9', ''],
  },
  {
    why: 'free partitions to take, taken at the new epoch',
    member: [STABLE, 10, 9, 'a0@10', ''],
    target: [11, 'a0 a1 b3'],
    next: [STABLE, 11, 10, 'a0@10 a1@11 b3@11', ''],
  },
  {
    why: 'something to give up, kept at the old epoch until the client has let go',
    member: [STABLE, 10, 9, 'a0@10 a1@10', ''],
    target: [11, 'a0'],
    owned: 'a0 a1',
    next: [UNREVOKED_PARTITIONS, 10, 10, 'a0@10', 'a1@10'],
  },
  {
    why: 'something to give up and to take, nothing taken before',
    member: [STABLE, 10, 9, 'a0@10 a1@10', ''],
    target: [11, 'a0 a2'],
    next: [UNREVOKED_PARTITIONS, 10, 10, 'a0@10', 'a1@10'],
  },
  {
    why: 'a client that has let go already, no waiting',
    member: [STABLE, 10, 9, 'a0@10 a1@10', ''],
    target: [11, 'a0 a2'],
    owned: 'a0',
    next: [STABLE, 11, 10, 'a0@10 a2@11', ''],
  },
  {
    why: 'a client that says nothing, still waiting',
    member: [UNREVOKED_PARTITIONS, 10, 9, 'a0@10', 'a1@10'],
    target: [11, 'a0'],
    next: [UNREVOKED_PARTITIONS, 10, 9, 'a0@10', 'a1@10'],
  },
  {
    why: 'a client that still owns one of two, still waiting',
    member: [UNREVOKED_PARTITIONS, 10, 9, 'a0@10', 'a1@10 a2@10'],
    target: [12, 'a0'],
    owned: 'a0 a2',
    next: [UNREVOKED_PARTITIONS, 10, 9, 'a0@10', 'a1@10 a2@10'],
  },
  {
    why: 'a client that has let go, on to the newest target',
    member: [UNREVOKED_PARTITIONS, 10, 10, 'a0@10', 'a1@10'],
    target: [12, 'a0 b0'],
    owned: 'a0',
    next: [STABLE, 12, 10, 'a0@10 b0@12', ''],
  },
  {
    why: 'a client that has let go of one while a newer target takes another, waiting again',
    member: [UNREVOKED_PARTITIONS, 10, 10, 'a0@10 a3@10', 'a1@10'],
    target: [12, 'a0'],
    owned: 'a0 a3',
    next: [UNREVOKED_PARTITIONS, 10, 10, 'a0@10', 'a3@10'],
  },
  {
    why: 'a partition let go of that the newest target gives back, taken anew',
    member: [UNREVOKED_PARTITIONS, 10, 10, 'a0@10', 'a1@10'],
    target: [12, 'a0 a1'],
    owned: 'a0',
    next: [STABLE, 12, 10, 'a0@10 a1@12', ''],
  },
  {
    why: 'a target that others still have, the epoch and a wait',
    member: [STABLE, 10, 9, 'a0@10', ''],
    target: [11, 'a0 a1'],
    taken: 'a1',
    next: [UNRELEASED_PARTITIONS, 11, 10, 'a0@10', ''],
  },
  {
    why: 'a target of which others have a part, the free part',
    member: [STABLE, 10, 9, '', ''],
    target: [11, 'a0 a1 a2'],
    taken: 'a1',
    next: [UNRELEASED_PARTITIONS, 11, 10, 'a0@11 a2@11', ''],
  },
  {
    why: 'what others have is freed, all of the target',
    member: [UNRELEASED_PARTITIONS, 11, 10, 'a0@10', ''],
    target: [11, 'a0 a1'],
    next: [STABLE, 11, 11, 'a0@10 a1@11', ''],
  },
  {
    why: 'what others have is not freed, the same member',
    member: [UNRELEASED_PARTITIONS, 11, 11, 'a0@10', ''],
    target: [11, 'a0 a1'],
    taken: 'a1',
    next: [UNRELEASED_PARTITIONS, 11, 11, 'a0@10', ''],
  },
  {
    why: 'a newer target while it waits, the newer one',
    member: [UNRELEASED_PARTITIONS, 11, 11, 'a0@10', ''],
    target: [12, 'b0'],
    taken: 'a1',
    owned: 'a0',
    next: [UNREVOKED_PARTITIONS, 11, 11, '', 'a0@10'],
  },
  {
    why: 'a target with a topic it no longer wants, not that topic',
    member: [STABLE, 10, 9, '', ''],
    target: [11, 'a0 b0'],
    subscribed: 'a',
    next: [STABLE, 11, 10, 'a0@11', ''],
  },
  {
    why: 'a topic dropped at the same epoch, taken away at once',
    member: [STABLE, 10, 9, 'a0@10 b0@10', ''],
    target: [10, 'a0 b0'],
    subscribed: 'a',
    changed: true,
    owned: 'a0 b0',
    next: [UNREVOKED_PARTITIONS, 10, 10, 'a0@10', 'b0@10'],
  },
  {
    why: 'a topic dropped that the client has let go of, gone',
    member: [STABLE, 10, 9, 'a0@10 b0@10', ''],
    target: [10, 'a0 b0'],
    subscribed: 'a',
    changed: true,
    owned: 'a0',
    next: [STABLE, 10, 10, 'a0@10', ''],
  },
  {
    why: 'a topic dropped while something is to be given up, both',
    member: [UNREVOKED_PARTITIONS, 10, 9, 'a0@10 b0@10', 'a1@10'],
    target: [11, 'a0 b0'],
    subscribed: 'a',
    changed: true,
    owned: 'a0 a1 b0',
    next: [UNREVOKED_PARTITIONS, 10, 10, 'a0@10', 'a1@10 b0@10'],
  },
  {
    why: 'a subscription changed that keeps all, the same member',
    member: [STABLE, 10, 9, 'a0@10', ''],
    target: [10, 'a0'],
    changed: true,
    next: [STABLE, 10, 9, 'a0@10', ''],
  },
  {
    why: 'a state of a newer Kafka and a client without partitions, from scratch',
    member: [77, 10, 9, '', ''],
    target: [11, 'a0'],
    owned: '',
    next: [STABLE, 11, 10, 'a0@11', ''],
  },
]

test.each(CASES)('reconcile() gives, $why', (one) => {
  const { before, after } = step(one)
  const next = [after.state, after.memberEpoch, after.previousMemberEpoch]
  expect([...next, text(after.assigned), text(after.pendingRevocation)]).toEqual(one.next)
  const isSame = JSON.stringify(one.next) === JSON.stringify(one.member)
  expect(after === before).toBe(isSame)
})

test.each([undefined, 'a0'])(
  'reconcile() fences a member in an unknown state that owns %s',
  (said) => {
    const member = [77, 10, 9, 'a0@10', ''] as const
    const next = member
    const one = { why: '', member, target: [11, ''] as const, next, ...(said && { owned: said }) }
    expect(() => step(one)).toThrow(KafkaError)
  },
)
