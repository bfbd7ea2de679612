// InitProducerId: a new id for an idempotent producer. Transactional ids wait for their coordinator.
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import {
  InitProducerIdRequest,
  InitProducerIdResponse,
} from '#src/protocol/messages/22-init-producer-id.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { api } from '../api.ts'

/** A producer that shows its old id and epoch gets a new id too: only transactional ones keep theirs (KIP-360). */
export const initProducerId = api({
  request: InitProducerIdRequest,
  response: InitProducerIdResponse,
  async handle({ broker, session }, { transactionalId, producerId, producerEpoch }) {
    if ((producerId === -1) !== (producerEpoch === -1)) {
      const detail = `Producer id ${producerId} and epoch ${producerEpoch} come together or not at all`
      throw new KafkaError('INVALID_REQUEST', detail)
    }
    if (transactionalId === '') {
      throw new KafkaError('INVALID_REQUEST', 'A transactional id cannot be empty')
    }
    if (transactionalId !== null) {
      const detail = `There are no transactions yet: ${transactionalId} cannot begin one`
      throw new KafkaError('UNSUPPORTED_VERSION', detail)
    }
    const newId = await broker.newProducerId(session)
    return { throttleTimeMs: 0, errorCode: NO_ERROR, producerId: newId, producerEpoch: 0 }
  },
  refuse: ({ code }) => ({
    throttleTimeMs: 0,
    errorCode: errorCode(code),
    producerId: -1,
    producerEpoch: -1,
  }),
})
