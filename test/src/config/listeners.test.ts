// Listeners as Kafka's server.properties writes them.
import { expect, test } from 'vitest'
import { BrokerConfig } from '#src/config/broker-config.ts'
import { brokerListeners, connectionLimits, isEveryAddress } from '#src/config/listeners.ts'

const load = (flags: Record<string, string>) => BrokerConfig.load({ flags })

test.each([
  {
    why: 'one listener on loopback by default',
    flags: {},
    found: [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 9092, advertised: undefined }],
  },
  {
    why: "Kafka's own file, whose controller listener is not opened",
    flags: {
      listeners: 'PLAINTEXT://:9092,CONTROLLER://:9093',
      'advertised.listeners': 'PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093',
    },
    found: [
      { name: 'PLAINTEXT', host: '', port: 9092, advertised: { host: 'localhost', port: 9092 } },
    ],
  },
  {
    why: 'several names, of which some are advertised',
    flags: {
      listeners: 'inside://[::1]:0, OUTSIDE://0.0.0.0:9094',
      'listener.security.protocol.map': 'INSIDE:plaintext, OUTSIDE:PLAINTEXT',
      'advertised.listeners': 'outside://[2001:db8::1]:443',
    },
    found: [
      { name: 'INSIDE', host: '::1', port: 0, advertised: undefined },
      {
        ...{ name: 'OUTSIDE', host: '0.0.0.0', port: 9094 },
        advertised: { host: '2001:db8::1', port: 443 },
      },
    ],
  },
])('brokerListeners() reads $why', ({ flags, found }) => {
  expect(brokerListeners(load(flags as Record<string, string>))).toEqual(found)
})

test.each([
  [{ listeners: 'SSL://:9092' }, 'SSL asks for SSL, which is not served yet'],
  [{ listeners: 'SASL_PLAINTEXT://:9092' }, 'asks for SASL_PLAINTEXT'],
  [{ listeners: 'MINE://:9092' }, 'no protocol for the listener MINE'],
  [{ listeners: ':9092' }, 'has :9092, which is not NAME://host:port'],
  [{ listeners: 'PLAINTEXT://host' }, 'which is not NAME://host:port'],
  [{ listeners: 'PLAINTEXT://:65536' }, 'which is not NAME://host:port'],
  [{ listeners: 'PLAINTEXT://:1,plaintext://:2' }, 'listeners names PLAINTEXT twice'],
  [{ 'advertised.listeners': 'PLAINTEXT://0.0.0.0:9092' }, 'no address that they can connect to'],
  [{ 'advertised.listeners': 'OTHER://host:9092' }, 'names OTHER, which is not in listeners'],
])('brokerListeners() refuses %j', (flags, sentence) => {
  expect(() => brokerListeners(load(flags as Record<string, string>))).toThrow(sentence)
})

test('connectionLimits() reads the overrides of single addresses', () => {
  const limits = connectionLimits(
    load({
      'max.connections': '10',
      'max.connections.per.ip': '3',
      'max.connections.per.ip.overrides': '127.0.0.1:100, ::1:5',
    }),
  )
  expect(limits).toEqual({
    maxConnections: 10,
    maxPerAddress: 3,
    perAddress: new Map([
      ['127.0.0.1', 100],
      ['::1', 5],
    ]),
  })
  expect(connectionLimits(load({})).perAddress.size).toBe(0)
  const wrong = load({ 'max.connections.per.ip.overrides': 'localhost' })
  expect(() => connectionLimits(wrong)).toThrow('has localhost, which is not address:count')
})

test.each([
  ['', true],
  ['0.0.0.0', true],
  ['::', true],
  ['127.0.0.1', false],
  ['host', false],
])('isEveryAddress() says of %j: %s', (host, isEvery) => {
  expect(isEveryAddress(host)).toBe(isEvery)
})
