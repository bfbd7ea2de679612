// How the address of a client stands in group records: as Java writes it.
import { expect, test } from 'vitest'
import { ANONYMOUS } from '#src/access/session.ts'
import { groupClient } from '#src/broker/group-client.ts'

test.each([
  { address: '127.0.0.1', host: '/127.0.0.1' },
  { address: '::1', host: '/0:0:0:0:0:0:0:1' },
  { address: '::', host: '/0:0:0:0:0:0:0:0' },
  { address: '2001:db8::8a2e:370:7334', host: '/2001:db8:0:0:0:8a2e:370:7334' },
  { address: '2001:0DB8:0000:0000:0000:8a2e:0370:7334', host: '/2001:db8:0:0:0:8a2e:370:7334' },
  { address: 'fe80::1%eth0', host: '/fe80:0:0:0:0:0:0:1%eth0' },
  { address: '', host: '/' },
])('groupClient() writes the address "$address" as $host', ({ address, host }) => {
  const session = { ...ANONYMOUS, clientId: 'c', clientAddress: address }
  expect(groupClient(session)).toEqual({ clientId: 'c', clientHost: host })
})
