// Tables for people.
import { expect, test } from 'vitest'
import { tableText } from '#src/cli/table.ts'

interface Row {
  readonly name: string | null
  readonly count: number
}

const columns = [
  { head: 'NAME', cell: ({ name }: Row) => name },
  { head: 'COUNT', isNumber: true, cell: ({ count }: Row) => count },
]

test('tableText() makes columns as wide as they have to be, numbers to the right', () => {
  const rows = [
    { name: 'a long name', count: 7 },
    { name: null, count: 1_000_000 },
  ]
  expect(tableText(columns, rows)).toBe(
    ['NAME           COUNT', 'a long name        7', '-            1000000', ''].join('\n'),
  )
})

test('tableText() lets nothing move the cursor, and paints the head alone', () => {
  const rows = [{ name: 'a\u001b[2J', count: 0 }]
  const text = tableText(columns, rows, (head) => `<${head}>`)
  expect(text).toBe('<NAME   COUNT>\na␛[2J      0\n')
})
