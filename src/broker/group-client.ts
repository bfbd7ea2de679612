// A caller as group records keep it.
import type { Session } from '../access/session.ts'
import type { GroupClient } from '../groups/group.ts'

/** The member behind a session. */
export function groupClient({ clientId, clientAddress }: Session): GroupClient {
  return { clientId, clientHost: `/${javaAddress(clientAddress)}` }
}

/** An address as Java writes it: IPv6 in eight groups, none left out, without leading zeros. */
function javaAddress(address: string): string {
  const [plain = '', scope] = address.split('%')
  if (!plain.includes(':') || plain.includes('.')) return address
  const [before = '', after] = plain.split('::')
  const left = before === '' ? [] : before.split(':')
  const right = after ? after.split(':') : []
  const zeros = after === undefined ? [] : Array<string>(8 - left.length - right.length).fill('0')
  const groups = [...left, ...zeros, ...right].map((group) => group.replace(/^0+(?=.)/, ''))
  return groups.join(':').toLowerCase() + (scope === undefined ? '' : `%${scope}`)
}
