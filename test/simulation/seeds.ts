// Which seeds the seeded tests run: MILLRACE_SEEDS says how many, MILLRACE_SEED one alone.

/** Seeds from 1 on: `usual` of them unless the environment says otherwise. */
export function seedsToRun(usual: number): readonly number[] {
  const only = process.env['MILLRACE_SEED']
  if (only !== undefined) return [Number(only)]
  const count = Number(process.env['MILLRACE_SEEDS'] ?? usual)
  return Array.from({ length: count }, (_, index) => index + 1)
}

/** At least `least` of them, even where one alone is asked for: for tests that count what their seeds come to. */
export function seedsToCount(least: number): readonly number[] {
  const count = Math.max(least, Number(process.env['MILLRACE_SEEDS'] ?? 0))
  return Array.from({ length: count }, (_, index) => index + 1)
}
