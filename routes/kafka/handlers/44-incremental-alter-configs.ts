// IncrementalAlterConfigs: single configs change, the others stay (KIP-339).
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '#src/protocol/messages/44-incremental-alter-configs.ts'
import { api } from '../api.ts'
import { outcome } from '../outcome.ts'

const OPERATIONS = ['set', 'delete', 'append', 'subtract'] as const

/** Each resource by itself, all its changes or none. */
export const incrementalAlterConfigs = api({
  request: IncrementalAlterConfigsRequest,
  response: IncrementalAlterConfigsResponse,
  async handle({ broker, session }, { resources, validateOnly }) {
    const asked = resources.map(({ resourceType, resourceName, configs }) => ({
      resource: { type: resourceType, name: resourceName },
      changes: configs.map(({ name, configOperation, value }) => ({
        name,
        operation: OPERATIONS[configOperation] ?? ('unknown' as const),
        value,
      })),
    }))
    const errors = await broker.admin.configs.change(session, asked, validateOnly)
    const responses = resources.map(({ resourceType, resourceName }, at) => ({
      ...outcome(errors[at]),
      resourceType,
      resourceName,
    }))
    return { throttleTimeMs: 0, responses }
  },
  refuse: (error, { resources }) => ({
    throttleTimeMs: 0,
    responses: resources.map(({ resourceType, resourceName }) => ({
      ...outcome(error),
      resourceType,
      resourceName,
    })),
  }),
})
