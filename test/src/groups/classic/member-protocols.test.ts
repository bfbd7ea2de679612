// The choice of a protocol, against a count by hand.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ClassicMember } from '../../../../src/groups/classic/classic-member.ts'
import { MemberProtocols } from '../../../../src/groups/classic/member-protocols.ts'
import { protocol } from './classic-shard.ts'

const wishes = fc.uniqueArray(fc.constantFrom<string>('a', 'b', 'c', 'd'), { minLength: 1 })

function memberOf(memberId: string, names: readonly string[]): ClassicMember {
  const who = { memberId, groupInstanceId: null, clientId: '', clientHost: '' }
  const protocols = names.map((name) => protocol(name))
  return new ClassicMember(who, { sessionTimeoutMs: 1, rebalanceTimeoutMs: 1, protocols })
}

test('MemberProtocols.select() chooses of what all know what most want, of equals the first wanted', () => {
  fc.assert(
    fc.property(fc.array(wishes, { minLength: 1, maxLength: 6 }), fc.nat(5), (all, gone) => {
      const members = new Map(all.map((names, at) => [`m${at}`, memberOf(`m${at}`, names)]))
      const protocols = new MemberProtocols()
      for (const member of members.values()) protocols.add(member.protocols)
      const leaver = memberOf('leaver', all[gone % all.length] ?? [])
      protocols.add(leaver.protocols)
      protocols.remove(leaver.protocols)

      const common = (all[0] ?? []).filter((name) => all.every((names) => names.includes(name)))
      const votes = all.flatMap((names) => names.find((name) => common.includes(name)) ?? [])
      const count = (name: string) => votes.filter((vote) => vote === name).length
      const most = Math.max(...votes.map(count))
      const expected = votes.find((name) => count(name) === most) ?? null
      expect(protocols.select(members)).toBe(expected)
      for (const name of ['a', 'b', 'c', 'd']) {
        expect(protocols.hasOneFor(members.size, [protocol(name)])).toBe(common.includes(name))
      }
    }),
  )
})

test('MemberProtocols counts a member once that names a protocol twice', () => {
  const protocols = new MemberProtocols()
  protocols.add([protocol('a'), protocol('a')])
  expect(protocols.hasOneFor(1, [protocol('a')])).toBe(true)
})
