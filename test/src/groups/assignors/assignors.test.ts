// The names of assignors.
import { expect, test } from 'vitest'
import { assignorOf } from '../../../../src/groups/assignors/assignors.ts'

test.each(['uniform', 'range'])('assignorOf() knows %s', (name) => {
  expect(assignorOf(name)?.name).toBe(name)
})

test.each(['', 'Uniform', 'sticky', 'constructor'])('assignorOf() does not know "%s"', (name) => {
  expect(assignorOf(name)).toBeUndefined()
})
