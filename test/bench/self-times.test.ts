// Self times of a CPU profile: whose function the samples fell in.
import { expect, test } from 'vitest'
import { selfTimes } from '../../bench/self-times.ts'

const frame = (functionName: string, url: string, lineNumber: number) => ({
  callFrame: { functionName, url, lineNumber },
})

test('selfTimes() adds the time of every node of a function, and leaves out what is idle', () => {
  const profile = {
    nodes: [
      { id: 1, ...frame('(idle)', '', -1) },
      { id: 2, ...frame('append', 'file:///srv/millrace/storage/log/append.ts', 45) },
      { id: 3, ...frame('', 'file:///srv/millrace/src/broker/broker.ts', 6) },
      { id: 4, ...frame('append', 'file:///srv/millrace/storage/log/append.ts', 45) },
    ],
    samples: [1, 2, 3, 4, 2],
    // The clock of a profile may go back a little.
    timeDeltas: [1000, 300, 100, 200, -5],
  }
  expect(selfTimes(profile)).toEqual([
    { functionName: 'append', where: 'storage/log/append.ts:46', share: 500 / 600 },
    { functionName: '(anonymous)', where: 'src/broker/broker.ts:7', share: 100 / 600 },
  ])
})
