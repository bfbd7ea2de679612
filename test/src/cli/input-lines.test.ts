// Lines out of chunks.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inputLines, wholeInput } from '#src/cli/input-lines.ts'

async function linesOf(chunks: readonly Uint8Array[]): Promise<string[]> {
  const lines: string[] = []
  for await (const group of inputLines(chunks)) {
    lines.push(...group.map((line) => Buffer.from(line).toString('latin1')))
  }
  return lines
}

test('inputLines() finds the same lines however the input is cut', async () => {
  const byte = fc.constantFrom(10, 65, 66, 255)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 9 })),
      fc.array(byte),
      async (cuts, bytes) => {
        const whole = Uint8Array.from(bytes)
        const chunks: Uint8Array[] = []
        let at = 0
        for (const { length } of cuts) {
          chunks.push(whole.subarray(at, at + length))
          at += length
        }
        chunks.push(whole.subarray(at))
        const expected = Buffer.from(whole).toString('latin1').split('\n')
        if (expected.at(-1) === '') expected.pop()
        expect(await linesOf(chunks)).toEqual(expected)
        expect(Buffer.compare(await wholeInput(chunks), whole)).toBe(0)
      },
    ),
  )
})
