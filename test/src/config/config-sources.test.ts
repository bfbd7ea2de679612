// File, environment and command line in one table.
import { expect, test } from 'vitest'
import { BROKER_CONFIGS } from '#src/config/broker-configs.ts'
import { readConfigSources } from '#src/config/config-sources.ts'
import {
  environmentName,
  isConfigVariable,
  KEY_BY_ENVIRONMENT_NAME,
} from '#src/config/environment-names.ts'

const file = (text: string) => ({ path: 'server.properties', text })

test('readConfigSources() lets flags win over the environment over the file', () => {
  const sources = {
    file: file('num.partitions=1\nnum.io.threads=1\nbackground.threads=1'),
    environment: { MILLRACE_NUM_PARTITIONS: '2', MILLRACE_NUM_IO_THREADS: '2', PATH: '/bin' },
    flags: { 'num.partitions': '3' },
  }
  expect(Object.fromEntries(readConfigSources(sources))).toEqual({
    'num.partitions': '3',
    'num.io.threads': '2',
    'background.threads': '1',
  })
})

test('readConfigSources() lets a stronger source win in other units too', () => {
  const sources = {
    file: file('log.retention.ms=5\nlog.dirs=/a,/b'),
    flags: { 'log.retention.hours': '1', 'log.dir': '/c' },
  }
  expect(Object.fromEntries(readConfigSources(sources))).toEqual({
    'log.retention.hours': '1',
    'log.dir': '/c',
  })
})

test('readConfigSources() takes the last of a key that comes twice in a file', () => {
  expect(readConfigSources({ file: file('num.partitions=1\nnum.partitions=4') })).toEqual(
    new Map([['num.partitions', '4']]),
  )
})

test('readConfigSources() reports every problem with its place', () => {
  const sources = {
    file: file('num.partitons=3\n\nnum.io.threads=x\nzookeeper.connect=z:2181'),
    environment: { MILLRACE_LOG_SEGMENT_BYTE: '1' },
    flags: { 'log.retenion.ms': '5', quite: 'other' },
  }
  let message = ''
  try {
    readConfigSources(sources)
  } catch (error) {
    message = String((error as Error).message)
  }
  expect(message.split('\n').sort()).toEqual([
    'MILLRACE_LOG_SEGMENT_BYTE: Unknown variable, did you mean MILLRACE_LOG_SEGMENT_BYTES?',
    'command line: Unknown key log.retenion.ms, did you mean log.retention.ms?',
    'command line: Unknown key quite',
    'server.properties:1: Unknown key num.partitons, did you mean num.partitions?',
    'server.properties:3: Invalid value "x" for num.io.threads: it must be a whole number',
    'server.properties:4: zookeeper.connect is not a key any more: Kafka 4.0 removed ZooKeeper. Remove this line',
  ])
})

test('readConfigSources() never shows a secret', () => {
  const sources = { flags: { 'ssl.keystore.password': 'hunter2', 'ssl.key.passwort': 'hunter3' } }
  expect(() => readConfigSources(sources)).toThrow(/^(?![\s\S]*hunter)[\s\S]*ssl\.key\.password\?/)
})

test('readConfigSources() accepts the keys of listeners, providers and plugins', () => {
  const text = 'listener.name.internal.ssl.keystore.location=/k\nrsm.config.bucket=b'
  expect(readConfigSources({ file: file(text) }).size).toBe(2)
})

test('environmentName() is different for every key', () => {
  expect(KEY_BY_ENVIRONMENT_NAME.size).toBe(BROKER_CONFIGS.size)
  expect(environmentName('log.segment.bytes')).toBe('MILLRACE_LOG_SEGMENT_BYTES')
  expect(environmentName('millrace.http.listener')).toBe('MILLRACE_HTTP_LISTENER')
})

test.each([
  ['MILLRACE_LOG_DIRS', true],
  ['MILLRACE_NO_SUCH_KEY', true],
  ['PATH', false],
  ['MILLRACE_SKIP_KAFKA', false],
  ['MILLRACE_SERVICE_HOST', false],
  ['MILLRACE_PORT', false],
  ['MILLRACE_HTTP_PORT_8082_TCP_ADDR', false],
])('isConfigVariable() of %s is %s', (name, is) => {
  expect(isConfigVariable(name)).toBe(is)
})
