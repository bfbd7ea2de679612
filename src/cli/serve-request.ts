// What `millrace serve` is asked for: its flags as broker keys, and the plain command line read without a library.
import type { ServeRequest } from './world.ts'

/** The flags of `serve`, as the command line has them. */
export interface ServeFlags {
  readonly config?: string
  readonly data?: string
  readonly http?: string
  readonly kafka?: string
  readonly set?: Readonly<Record<string, string>>
}

/** Flags as broker keys. `--data`, `--kafka` and `--http` win over `--set` of the same key. */
export function serveRequest({ config, data, http, kafka, set }: ServeFlags): ServeRequest {
  const flags = {
    ...set,
    ...(data === undefined ? {} : { 'log.dirs': data }),
    ...(http === undefined ? {} : { 'millrace.http.listener': http }),
    ...(kafka === undefined ? {} : { listeners: `PLAINTEXT://${kafka}` }),
  }
  return config === undefined ? { flags } : { configFile: config, flags }
}

/**
 * What `serve` with flags that are plainly right is asked for: `--name value`, as nearly everybody writes it. Undefined for
 * all else, which takes the library that parses and explains; a broker does without the memory and time that it costs.
 */
export function plainServeRequest(argv: readonly string[]): ServeRequest | undefined {
  const [command, ...rest] = argv
  if (command !== 'serve' || rest.length % 2 !== 0) return undefined
  const flags: { -readonly [Name in keyof ServeFlags]: ServeFlags[Name] } = {}
  for (let at = 0; at < rest.length; at += 2) {
    const [name, value = ''] = rest.slice(at, at + 2)
    if (value.startsWith('-')) return undefined
    if (name === '--set') {
      const set = addPair(value, flags.set)
      if (set === undefined) return undefined
      flags.set = set
    } else if (name === '--config') flags.config = value
    else if (name === '--data') flags.data = value
    else if (name === '--http') flags.http = value
    else if (name === '--kafka') flags.kafka = value
    else return undefined
  }
  return serveRequest(flags)
}

/** Pairs with `name=value` added; undefined when the text is none. */
export function addPair(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> | undefined {
  const equals = text.indexOf('=')
  if (equals <= 0) return undefined
  return { ...before, [text.slice(0, equals).trim()]: text.slice(equals + 1) }
}
