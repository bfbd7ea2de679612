// What metadata asks about configs before it writes them, answered by the config room.
import { KafkaError } from '#storage/base/errors.ts'
import { BROKER_CONFIGS } from '../config/broker-configs.ts'
import type { ConfigDefinition } from '../config/config-definition.ts'
import { groupConfigDefinition, validateGroupConfigs } from '../config/group-config.ts'
import { topicConfigDefinition, validateTopicConfigs } from '../config/topic-config.ts'
import { validateBrokerConfigs } from '../config/validate-broker-configs.ts'
import { CONFIG_RESOURCE, type ConfigResource } from '../metadata/image.ts'
import type { ConfigRules } from '../metadata/provider.ts'
import type { EffectiveConfigs } from './effective-configs.ts'

/** The rules for topics, brokers and groups; configs of other resources are refused until something acts on them. */
export function configRules(configs: EffectiveConfigs): ConfigRules {
  return {
    validate(resource, wanted) {
      if (resource.type === CONFIG_RESOURCE.TOPIC) validateTopicConfigs(wanted, configs.broker)
      else if (resource.type === CONFIG_RESOURCE.BROKER) {
        validateBrokerConfigs(wanted, resource.name === '')
      } else if (resource.type === CONFIG_RESOURCE.GROUP) {
        validateGroupConfigs(wanted, configs.broker)
      } else throw unsupported(resource)
    },
    isList: (resource, name) => definitionOf(resource, name)?.type === 'LIST',
    defaultValue: (resource, name) => definitionOf(resource, name)?.defaultValue ?? undefined,
  }
}

function definitionOf(resource: ConfigResource, name: string): ConfigDefinition | undefined {
  switch (resource.type) {
    case CONFIG_RESOURCE.TOPIC:
      return topicConfigDefinition(name)
    case CONFIG_RESOURCE.GROUP:
      return groupConfigDefinition(name)
    default:
      return BROKER_CONFIGS.get(name)
  }
}

function unsupported({ type, name }: ConfigResource): KafkaError {
  return new KafkaError('INVALID_REQUEST', `Resource ${name} of type ${type} has no configs here`)
}
