// DescribeCluster: the cluster and its brokers (KIP-700).
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import {
  DescribeClusterRequest,
  DescribeClusterResponse,
} from '#src/protocol/messages/60-describe-cluster.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { api } from '../api.ts'
import { nodes } from '../nodes.ts'
import { messageOf } from '../outcome.ts'

const BROKERS = 1
const CONTROLLERS = 2

/** Only brokers are here to be described; whoever wants controllers has come to the wrong door. */
export const describeCluster = api({
  request: DescribeClusterRequest,
  response: DescribeClusterResponse,
  handle(context, request) {
    const { broker, session, version } = context
    checkEndpointType(request.endpointType)
    const described = nodes(context).filter(
      ({ isFenced }) => !isFenced || request.includeFencedBrokers,
    )
    return {
      throttleTimeMs: 0,
      errorCode: NO_ERROR,
      clusterId: broker.clusterId,
      controllerId: broker.nodeId,
      brokers: described.map(({ id, host, port, rack, isFenced }) => ({
        brokerId: id,
        host,
        port,
        rack,
        ...(version >= 2 && { isFenced }),
      })),
      ...(request.includeClusterAuthorizedOperations && {
        clusterAuthorizedOperations: broker.admin.cluster.authorizedOperations(session),
      }),
    }
  },
  refuse: (error) => ({
    throttleTimeMs: 0,
    errorCode: errorCode(error.code),
    errorMessage: messageOf(error),
    clusterId: '',
    brokers: [],
  }),
})

function checkEndpointType(type: number): void {
  if (type === BROKERS) return
  if (type === CONTROLLERS) {
    throw new KafkaError('MISMATCHED_ENDPOINT_TYPE', 'This is a listener of a broker')
  }
  throw new KafkaError('UNSUPPORTED_ENDPOINT_TYPE', `No such type of endpoint: ${type}`)
}
