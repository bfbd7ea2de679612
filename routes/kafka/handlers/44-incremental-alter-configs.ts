// IncrementalAlterConfigs: single configs change, the others stay (KIP-339).
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '#src/protocol/messages/44-incremental-alter-configs.ts'
import { api } from '../api.ts'
import { changedResources } from '../config-codes.ts'

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
    return changedResources(resources, (index) => errors[index])
  },
  refuse: (error, { resources }) => changedResources(resources, () => error),
})
