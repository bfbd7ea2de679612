// The metadata log on a disk that stops, fails or is full at any of its operations: nothing confirmed is forgotten.
import { beforeAll, expect, test } from 'vitest'
import { failing, found, full, type Life, live } from './metadata-sweep.ts'

/** A life without trouble: what is known after each decision. */
let sound: Life
beforeAll(async () => {
  sound = await live()
  expect(sound.wrong).toEqual([])
})

/** Some of the places, other ones for each kind of trouble. */
const places = (first: number, step: number) =>
  Array.from({ length: Math.ceil((sound.changes - first) / step) }, (_, at) => first + at * step)

/** What was confirmed, or that and the decision that was under way. */
const mayBe = ({ confirmed }: Life) => [sound.shown[confirmed], sound.shown[confirmed + 1]]

test('A life without trouble rolls and sums up the metadata log, and a start finds it all', async () => {
  expect(sound.shown.at(-1)).toBe('a*3 2000, b*2 5000, d*2 5000, e*2 5000, f*2 5000, g*2 77')
  const names = sound.disk.list('/a/__cluster_metadata-0').map(({ name }) => name)
  expect(names.filter((name) => name.endsWith('.checkpoint')).length).toBeGreaterThan(0)
  expect(names.filter((name) => name.endsWith('.log')).length).toBeGreaterThan(1)
  expect(await found(sound.disk.afterCrash(1))).toBe(sound.shown.at(-1))
})

test('A crash at any change of the disk loses no decision that was confirmed', async () => {
  for (const at of places(1, 5)) {
    const life = await live((disk) => disk.faults.stopAtChange(at))
    expect(life.wrong, `change ${at}`).toEqual([])
    for (const seed of [at, at + 1]) {
      const why = `change ${at}, seed ${seed}`
      expect(mayBe(life), why).toContain(await found(life.disk.afterCrash(seed)))
    }
    expect(mayBe(life), `kill at change ${at}`).toContain(await found(life.disk.afterKill()))
  }
}, 120_000)

test('A disk that fails at any change of the metadata log ends its decisions, and forgets none', async () => {
  for (const at of places(2, 9)) {
    const life = await live(failing(at))
    expect(life.wrong, `change ${at}`).toEqual([])
    expect(mayBe(life), `change ${at}`).toContain(await found(life.disk.afterKill()))
    expect(mayBe(life), `power at ${at}`).toContain(await found(life.disk.afterCrash(at)))
  }
}, 120_000)

test('A full disk at any change of the metadata log refuses at most once, and all is decided in the end', async () => {
  for (const at of places(3, 9)) {
    const life = await live(full(at))
    expect(life.wrong, `change ${at}`).toEqual([])
    expect(life.shown.at(-1), `change ${at}`).toBe(sound.shown.at(-1))
    expect(await found(life.disk.afterCrash(at)), `change ${at}`).toBe(sound.shown.at(-1))
  }
}, 120_000)
