// What dynamic broker configs are refused for.
import { expect, test } from 'vitest'
import { validateBrokerConfigs } from '#src/config/validate-broker-configs.ts'

test.each([
  [{ 'message.max.bytes': '5' }, true, undefined],
  [{ 'ssl.keystore.location': '/k' }, false, undefined],
  [{ 'listener.name.a.ssl.keystore.location': '/k' }, false, undefined],
  [
    { 'ssl.keystore.location': '/k' },
    true,
    "ssl.keystore.location can't be set for all brokers at once",
  ],
  [{ 'log.dirs': '/k' }, false, "log.dirs can't change while the broker runs"],
  [{ 'message.max.byte': '5' }, true, 'did you mean message.max.bytes?'],
  [{ 'message.max.bytes': 'x' }, true, 'must be a whole number'],
])(
  'validateBrokerConfigs() of %o, cluster-wide %s, says %s',
  (configs, isClusterWide, sentence) => {
    const check = () => validateBrokerConfigs(Object.entries(configs), isClusterWide)
    if (sentence === undefined) expect(check).not.toThrow()
    else expect(check).toThrow(sentence)
  },
)

test.each([
  [{ 'num.io.threads': 'many' }, 'INVALID_REQUEST'],
  [{ 'log.dirs': '/nowhere' }, 'INVALID_REQUEST'],
  [{ 'no.such.config': '1' }, 'INVALID_CONFIG'],
])('validateBrokerConfigs() of %o refuses with %s, as Kafka does', (configs, code) => {
  const check = () => validateBrokerConfigs(Object.entries(configs), false)
  expect(check).toThrow(expect.objectContaining({ code }))
})
