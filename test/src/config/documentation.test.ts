// The page of configurations against the tables that it describes.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import {
  isBrokerConfigActedOn,
  isGroupConfigActedOn,
  isTopicConfigActedOn,
} from '#src/config/acted-on.ts'
import { EMBEDDED_DEFAULTS } from '#src/config/broker/millrace-configs.ts'
import { BROKER_CONFIGS, updateMode } from '#src/config/broker-configs.ts'
import type { ConfigDefinition } from '#src/config/config-definition.ts'
import { groupConfigs } from '#src/config/group-config.ts'
import { TOPIC_CONFIGS, TOPIC_SYNONYMS } from '#src/config/topic-configs.ts'

const page = readFileSync(
  fileURLToPath(new URL('../../../docs/configuration.md', import.meta.url)),
  'utf8',
)
const rows = new Set(page.split('\n').filter((line) => line.startsWith('| `')))
const code = (text: string | null) => (text === null || text === '' ? '' : `\`${text}\``)
const words = ({ documentation }: ConfigDefinition) => documentation.replaceAll(/[|*]/g, '\\$&')
const row = (isActedOn: boolean, { name, defaultValue }: ConfigDefinition, middle: string) =>
  `| \`${name}\`${isActedOn ? '' : ' ◦'} | ${code(defaultValue)} | ${middle} | `

const topicRows = TOPIC_CONFIGS.map((definition) => {
  const keys = (TOPIC_SYNONYMS.get(definition.name) ?? []).map(({ name }) => code(name))
  const start = row(isTopicConfigActedOn(definition.name), definition, keys.join(', '))
  return `${start}${words(definition)} |`
})
const brokerRows = [...BROKER_CONFIGS.values()].map((definition) => {
  const mode = updateMode(definition.name).replace('read-only', 'at start')
  return `${row(isBrokerConfigActedOn(definition.name), definition, mode)}${words(definition)} |`
})
const groupRows = groupConfigs().map(([definition, brokerKey]) => {
  const isActedOn = isGroupConfigActedOn(definition.name)
  return `${row(isActedOn, definition, code(brokerKey ?? null))}${words(definition)} |`
})
const ownDefaults = EMBEDDED_DEFAULTS.map(
  ({ name, value, reason }) => `| \`${name}\` | \`${value}\` | ${reason} |`,
)

test('docs/configuration.md has a row for every key, as the tables have it, and none besides', () => {
  expect([...rows].sort()).toEqual(
    [...new Set([...topicRows, ...brokerRows, ...groupRows, ...ownDefaults])].sort(),
  )
})
