// Texts to values, with Kafka's answers.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BROKER_CONFIGS } from '#src/config/broker-configs.ts'
import { configText, isConfigValue, parseConfigValue } from '#src/config/config-value.ts'
import { topicConfigDefinition } from '#src/config/topic-config.ts'

const definitionOf = (name: string) => BROKER_CONFIGS.get(name) ?? topicConfigDefinition(name)

// What Kafka 4.3.1 answers to the same texts (ConfigDef.parseType, the validator, convertToString).
test.each([
  ['cleanup.policy', '', ''],
  ['cleanup.policy', 'delete , compact', 'delete,compact'],
  ['max.message.bytes', ' 5 ', '5'],
  ['max.message.bytes', '+5', '5'],
  ['delete.retention.ms', '9223372036854775807', '9223372036854775807'],
  ['delete.retention.ms', '-0', '0'],
  ['retention.bytes', '-5', '-5'],
  ['preallocate', 'TRUE', 'true'],
  ['preallocate', ' true ', 'true'],
  ['min.cleanable.dirty.ratio', '0.5f', '0.5'],
  ['min.cleanable.dirty.ratio', '1e-1', '0.1'],
  ['min.cleanable.dirty.ratio', '0', '0.0'],
  ['min.cleanable.dirty.ratio', '.25', '0.25'],
  ['min.cleanable.dirty.ratio', '1', '1.0'],
  ['min.cleanable.dirty.ratio', '1e-7', '1.0E-7'],
  ['log.cleaner.io.max.bytes.per.second', '1.7976931348623157E308', '1.7976931348623157E308'],
  ['log.cleaner.io.max.bytes.per.second', '12345678.9', '1.23456789E7'],
  ['compression.type', 'gzip ', 'gzip'],
  ['compression.gzip.level', '-1', '-1'],
  ['compression.gzip.level', '9', '9'],
  ['leader.replication.throttled.replicas', '*', '*'],
  ['leader.replication.throttled.replicas', '0:1,1:2', '0:1,1:2'],
  ['group.consumer.migration.policy', 'Upgrade', 'Upgrade'],
  ['process.roles', 'broker, controller', 'broker,controller'],
  ['controller.quorum.voters', '1@localhost:9093', '1@localhost:9093'],
  ['millrace.http.listener', '[::1]:0', '[::1]:0'],
  ['millrace.http.listener', ':8082', ':8082'],
  ['millrace.http.listener', 'none', 'none'],
])('configText() of %s takes %j as %j', (name, text, normal) => {
  expect(configText(definitionOf(name), text)).toBe(normal)
})

test.each([
  ['cleanup.policy', 'compact,compact', 'must not name one twice'],
  ['cleanup.policy', 'compact,', 'must not hold an empty item'],
  ['cleanup.policy', 'delete,foo', 'it must be one of compact, delete'],
  ['log.dirs', '', 'must not be empty'],
  ['max.message.bytes', '-1', 'must be at least 0'],
  ['max.message.bytes', '5.0', 'must be a whole number'],
  ['max.message.bytes', '1e3', 'must be a whole number'],
  ['max.message.bytes', '', 'must be a whole number'],
  ['max.message.bytes', '0x10', 'must be a whole number'],
  ['max.message.bytes', '99999999999', 'must fit in 32 bits'],
  ['delete.retention.ms', '9223372036854775808', 'must fit in 64 bits'],
  ['offsets.topic.replication.factor', '40000', 'must fit in 16 bits'],
  ['preallocate', 'yes', 'must be true or false'],
  ['min.cleanable.dirty.ratio', '1.5', 'must be at most 1'],
  ['min.cleanable.dirty.ratio', 'x', 'must be a number'],
  ['compression.type', 'Gzip', 'must be one of'],
  ['compression.gzip.level', '0', 'must be at least 1 or -1'],
  ['compression.gzip.level', '10', 'must be at most 9 or -1'],
  ['leader.replication.throttled.replicas', '0:1:2', 'must be * or partition:broker'],
  ['leader.replication.throttled.replicas', '*,0:1', 'must be * or partition:broker'],
  ['controller.quorum.voters', 'x', 'must be id@host:port'],
  ['controller.quorum.bootstrap.servers', 'localhost', 'must be host:port'],
  ['remote.log.storage.manager.class.name', ' ', 'must be text that is not blank'],
  ['segment.bytes', '100', 'must be at least 1048576'],
  ['millrace.http.listener', 'localhost', 'must be host:port or none'],
])('parseConfigValue() of %s refuses %j: it %s', (name, text, sentence) => {
  const refused = () => parseConfigValue(definitionOf(name), text)
  expect(refused).toThrow(expect.objectContaining({ code: 'INVALID_CONFIG' }))
  expect(refused).toThrow(sentence)
  expect(refused).toThrow(name)
})

test('parseConfigValue() never throws anything but a refusal, and configText() is a fixed point', () => {
  const names = [...BROKER_CONFIGS.keys()]
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.string(), (name, text) => {
      const definition = definitionOf(name)
      if (!isConfigValue(definition, text)) return
      const normal = configText(definition, text)
      expect(configText(definition, normal)).toBe(normal)
    }),
  )
})
