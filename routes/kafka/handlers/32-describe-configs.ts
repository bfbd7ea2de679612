// DescribeConfigs: every config of topics and brokers, where it comes from and what it is for.
import type { DescribedConfig } from '#src/broker/admin.ts'
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import {
  DescribeConfigsRequest,
  DescribeConfigsResponse,
} from '#src/protocol/messages/32-describe-configs.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { api, type RequestContext } from '../api.ts'
import { CONFIG_SOURCE, configTypeCode } from '../config-codes.ts'
import { messageOf } from '../outcome.ts'

type Resource = DescribeConfigsRequest['resources'][number]

/** Each resource by itself. */
export const describeConfigs = api({
  request: DescribeConfigsRequest,
  response: DescribeConfigsResponse,
  handle: (context, request) => ({
    throttleTimeMs: 0,
    results: request.resources.map((resource) => describe(context, request, resource)),
  }),
  refuse: (error, { resources }) => ({
    throttleTimeMs: 0,
    results: resources.map((resource) => refused(error, resource)),
  }),
})

function describe(
  { broker, session }: RequestContext,
  { includeSynonyms, includeDocumentation }: DescribeConfigsRequest,
  resource: Resource,
) {
  const { resourceType, resourceName, configurationKeys } = resource
  // Kafka reads an empty list as no wish at all.
  const keys = configurationKeys?.length ? new Set(configurationKeys) : undefined
  try {
    const target = { type: resourceType, name: resourceName }
    const configs = broker.admin.configs.describe(session, target)
    return {
      errorCode: NO_ERROR,
      errorMessage: '',
      resourceType,
      resourceName,
      configs: configs
        .filter(({ name }) => keys?.has(name) ?? true)
        .map((config) => entry(config, { includeSynonyms, includeDocumentation })),
    }
  } catch (error) {
    if (error instanceof KafkaError) return refused(error, resource)
    throw error
  }
}

function entry(
  config: DescribedConfig,
  wish: { readonly includeSynonyms: boolean; readonly includeDocumentation: boolean },
) {
  const { name, value, source, isReadOnly, isSensitive, type, documentation, synonyms } = config
  return {
    name,
    value,
    readOnly: isReadOnly,
    configSource: CONFIG_SOURCE[source],
    isSensitive,
    synonyms: wish.includeSynonyms
      ? synonyms.map((synonym) => ({ ...synonym, source: CONFIG_SOURCE[synonym.source] }))
      : [],
    configType: configTypeCode(type),
    documentation: wish.includeDocumentation ? documentation : null,
  }
}

function refused(error: KafkaError, { resourceType, resourceName }: Resource) {
  const answer = { errorCode: errorCode(error.code), errorMessage: messageOf(error) }
  return { ...answer, resourceType, resourceName, configs: [] }
}
