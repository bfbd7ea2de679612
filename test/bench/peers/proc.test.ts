// What the bench reads under /proc.
import { expect, test } from 'vitest'
import { cpuSecondsIn, memoryIn } from '../../../bench/peers/proc.ts'

test('cpuSecondsIn() adds user and system time, whatever the program is called', () => {
  const rest = 'S 1 2 2 0 -1 4194560 500 0 3 0 1234 66 7 8 20 0 9 0 100 1000 50'
  expect(cpuSecondsIn(`4711 (java) ${rest}`)).toBeCloseTo(13)
  expect(cpuSecondsIn(`4711 (a) b (c) ${rest}`)).toBeCloseTo(13)
})

test('cpuSecondsIn() refuses a text without the fields', () => {
  expect(() => cpuSecondsIn('4711 (java) S 1')).toThrow('No CPU time')
})

const status = `Name:\tbun
VmHWM:\t  999999 kB
VmRSS:\t  102400 kB
RssAnon:\t   51200 kB
RssFile:\t   51200 kB
`

test('memoryIn() tells anonymous and all resident memory in MiB', () => {
  expect(memoryIn(status)).toEqual({ anonMib: 50, rssMib: 100 })
})

test('memoryIn() refuses a text without them, as of a process that has ended', () => {
  expect(() => memoryIn('Name:\tbun\nState:\tZ (zombie)\n')).toThrow('No RssAnon')
})
