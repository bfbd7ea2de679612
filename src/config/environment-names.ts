// Which environment variable sets which key.
import { BROKER_CONFIGS } from './broker-configs.ts'

const PREFIX = 'MILLRACE_'

/**
 * The environment variable of a key: `MILLRACE_`, then the key without a leading `millrace.`, in capitals, with `_` for
 * every `.` (`log.segment.bytes` is `MILLRACE_LOG_SEGMENT_BYTES`, `millrace.http.listener` is `MILLRACE_HTTP_LISTENER`).
 */
export function environmentName(key: string): string {
  return (
    PREFIX +
    key
      .replace(/^millrace\./, '')
      .replaceAll('.', '_')
      .toUpperCase()
  )
}

/** Each known key by its environment variable. No two keys share one. */
export const KEY_BY_ENVIRONMENT_NAME: ReadonlyMap<string, string> = new Map(
  [...BROKER_CONFIGS.keys()].map((key) => [environmentName(key), key]),
)

/** Variables of our own tools, which set no key. */
const TOOL_VARIABLES: ReadonlySet<string> = new Set([
  'MILLRACE_REQUIRE_KAFKA',
  'MILLRACE_SEED',
  'MILLRACE_SEEDS',
  'MILLRACE_SKIP_KAFKA',
  'MILLRACE_URL',
])

/** What Kubernetes and Docker links put into the environment of a pod beside a service named `millrace…`. */
const SERVICE_LINK =
  /^MILLRACE(_[A-Z0-9_]+)?_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?|NAME|ENV_[A-Z0-9_]+)$/

/** Whether a variable is meant to set a key: it begins with `MILLRACE_`, and no one else puts it there. */
export function isConfigVariable(name: string): boolean {
  if (!name.startsWith(PREFIX) || TOOL_VARIABLES.has(name)) return false
  return KEY_BY_ENVIRONMENT_NAME.has(name) || !SERVICE_LINK.test(name)
}
