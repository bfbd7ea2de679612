// Tables for people.
import { printable } from './display.ts'

/** A column: its head, and how wide it is at least. Numbers stand to the right. */
export interface Column<Row> {
  readonly head: string
  readonly isNumber?: boolean
  cell(row: Row): string | number | null
}

/** Lines under their heads, each column as wide as its widest cell; nothing is `-`. */
export function tableText<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  paintHead: (text: string) => string = (text) => text,
): string {
  const cells = rows.map((row) => columns.map((column) => cellText(column.cell(row))))
  const widths = columns.map(({ head }, index) =>
    Math.max(head.length, ...cells.map((line) => line[index]?.length ?? 0)),
  )
  const lineOf = (texts: readonly string[]): string =>
    texts
      .map((text, index) => {
        const width = widths[index] ?? 0
        return columns[index]?.isNumber === true ? text.padStart(width) : text.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  const head = paintHead(lineOf(columns.map((column) => column.head)))
  return [head, ...cells.map(lineOf)].map((line) => `${line}\n`).join('')
}

function cellText(value: string | number | null): string {
  return value === null || value === '' ? '-' : printable(String(value))
}
