// The quorum-state file.
import { expect, test } from 'vitest'
import { parseQuorumState, serializeQuorumState } from '#storage/state/quorum-state.ts'

const KAFKAS =
  '{"leaderId":1,"leaderEpoch":3,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1}'
const parse = (text: string) => parseQuorumState(new TextEncoder().encode(text))

test('quorum-state is read and written as Kafka does', () => {
  const state = parse(KAFKAS)
  expect(state).toEqual({
    leaderId: 1,
    leaderEpoch: 3,
    votedId: -1,
    votedDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAA',
  })
  expect(new TextDecoder().decode(serializeQuorumState(state))).toBe(KAFKAS)
})

test('quorum-state of version 0 is understood', () => {
  const text =
    '{"clusterId":"","leaderId":1,"leaderEpoch":2,"votedId":1,"appliedOffset":0,"currentVoters":[{"voterId":1}],"data_version":0}'
  expect(parse(text)).toEqual({
    leaderId: 1,
    leaderEpoch: 2,
    votedId: 1,
    votedDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAA',
  })
})

test.each([
  '',
  '{',
  'null',
  '{}',
  KAFKAS.replace('1}', '2}'),
  KAFKAS.replace('3', '"3"'),
  KAFKAS.replace('votedDirectoryId', 'x'),
])('quorum-state with the content %j is refused', (text) => {
  expect(() => parse(text)).toThrow('The file quorum-state')
})
