// AlterConfigs: a resource's whole set of configs is replaced.
import {
  AlterConfigsRequest,
  AlterConfigsResponse,
} from '#src/protocol/messages/33-alter-configs.ts'
import { api } from '../api.ts'
import { changedResources } from '../config-codes.ts'

/** Each resource by itself: what is not named goes back to its default. */
export const alterConfigs = api({
  request: AlterConfigsRequest,
  response: AlterConfigsResponse,
  async handle({ broker, session }, { resources, validateOnly }) {
    const asked = resources.map(({ resourceType, resourceName, configs }) => ({
      resource: { type: resourceType, name: resourceName },
      configs,
    }))
    const errors = await broker.admin.configs.replace(session, asked, validateOnly)
    return changedResources(resources, (index) => errors[index])
  },
  refuse: (error, { resources }) => changedResources(resources, () => error),
})
