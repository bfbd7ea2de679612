// ListConfigResources: what has configs (KIP-1142).
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import {
  ListConfigResourcesRequest,
  ListConfigResourcesResponse,
} from '#src/protocol/messages/74-list-config-resources.ts'
import { api } from '../api.ts'

/** Version 0 knows these alone. */
const CLIENT_METRICS = 16

/** Topics and brokers by name, and what else has something set. */
export const listConfigResources = api({
  request: ListConfigResourcesRequest,
  response: ListConfigResourcesResponse,
  handle({ broker, session, version }, { resourceTypes }) {
    const types = version === 0 ? [CLIENT_METRICS] : resourceTypes
    const configResources = broker.admin.configs
      .resources(session, types)
      .map(({ type, name }) => ({ resourceType: type, resourceName: name }))
    return { throttleTimeMs: 0, errorCode: NO_ERROR, configResources }
  },
  refuse: ({ code }) => ({ throttleTimeMs: 0, errorCode: errorCode(code), configResources: [] }),
})
