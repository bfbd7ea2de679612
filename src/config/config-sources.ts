// Where broker settings are written: a file, the environment, the command line. Reads them into one table.
import { KafkaError } from '#storage/base/errors.ts'
import { readProperties } from '#storage/bytes/properties.ts'
import { ACCEPTED_PREFIXES, BROKER_CONFIGS, FALLBACKS, REMOVED_CONFIGS } from './broker-configs.ts'
import { parseConfigValue } from './config-value.ts'
import { environmentName, isConfigVariable, KEY_BY_ENVIRONMENT_NAME } from './environment-names.ts'
import { nearestName } from './nearest-name.ts'

/** Everything that may set a broker key, weakest first. */
export interface ConfigSources {
  /** A `server.properties`; `path` is for messages. */
  readonly file?: { readonly path: string; readonly text: string }
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** `--set key=value` and the flags that stand for keys. */
  readonly flags?: Readonly<Record<string, string>>
}

/** A key as it was written, and where. */
interface WrittenConfig {
  readonly key: string
  readonly value: string
  readonly origin: string
}

/**
 * The keys that are set, as texts: flags over environment over file. A key of a stronger source also silences the
 * weaker sources' other ways of saying the same (`log.retention.hours` on the command line beats `log.retention.ms` in
 * the file). Throws INVALID_CONFIG with one line for each unknown key or bad value, saying where it stands.
 */
export function readConfigSources(sources: ConfigSources): Map<string, string> {
  const problems: string[] = []
  const merged = new Map<string, string>()
  for (const layer of [
    fileConfigs(sources.file),
    environmentConfigs(sources.environment ?? {}, problems),
    flagConfigs(sources.flags ?? {}),
  ]) {
    silence(
      merged,
      layer.map(({ key }) => key),
    )
    for (const { key, value, origin } of layer) {
      const problem = problemOf(key, value)
      if (problem === undefined) merged.set(key, value)
      else problems.push(`${origin}: ${problem}`)
    }
  }
  if (problems.length > 0) throw new KafkaError('INVALID_CONFIG', problems.join('\n'))
  return merged
}

function fileConfigs(file: ConfigSources['file']): WrittenConfig[] {
  if (file === undefined) return []
  const properties = [...readProperties(file.text)]
  return properties.map(({ key, value, line }) => ({ key, value, origin: `${file.path}:${line}` }))
}

function environmentConfigs(
  environment: Readonly<Record<string, string | undefined>>,
  problems: string[],
): WrittenConfig[] {
  const written: WrittenConfig[] = []
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || !isConfigVariable(name)) continue
    const key = KEY_BY_ENVIRONMENT_NAME.get(name)
    if (key !== undefined) written.push({ key, value, origin: name })
    else {
      const nearest = nearestName(name, KEY_BY_ENVIRONMENT_NAME.keys())
      problems.push(`${name}: Unknown variable${meant(nearest)}`)
    }
  }
  return written
}

function flagConfigs(flags: Readonly<Record<string, string>>): WrittenConfig[] {
  return Object.entries(flags).map(([key, value]) => ({ key, value, origin: 'command line' }))
}

/** Removes from `merged` what says the same as one of `keys` in another way. */
function silence(merged: Map<string, string>, keys: readonly string[]): void {
  for (const group of FALLBACKS) {
    if (!group.some((key) => keys.includes(key))) continue
    for (const key of group) merged.delete(key)
  }
}

/** What is wrong with a key and its value, as a sentence; undefined when nothing is. */
function problemOf(key: string, value: string): string | undefined {
  const definition = BROKER_CONFIGS.get(key)
  if (definition === undefined) {
    return ACCEPTED_PREFIXES.some((prefix) => key.startsWith(prefix)) ? undefined : unknown(key)
  }
  try {
    parseConfigValue(definition, value)
    return undefined
  } catch (error) {
    if (error instanceof KafkaError) return error.message
    throw error
  }
}

function unknown(key: string): string {
  const removed = REMOVED_CONFIGS.get(key)
  if (removed !== undefined) return `${key} is not a key any more: ${removed}`
  const asVariable = KEY_BY_ENVIRONMENT_NAME.get(environmentName(key))
  return `Unknown key ${key}${meant(asVariable ?? nearestName(key, BROKER_CONFIGS.keys()))}`
}

function meant(nearest: string | undefined): string {
  return nearest === undefined ? '' : `, did you mean ${nearest}?`
}
