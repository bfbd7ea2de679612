// AlterConfigs: a resource's whole set of configs is replaced.
import {
  AlterConfigsRequest,
  AlterConfigsResponse,
} from '#src/protocol/messages/33-alter-configs.ts'
import { api } from '../api.ts'
import { outcome } from '../outcome.ts'

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
