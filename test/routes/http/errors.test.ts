// Refusals as statuses and error codes.
import { expect, test } from 'vitest'
import { errorBody, errorResponse, HttpError } from '../../../routes/http/errors.ts'
import { KafkaError, type KafkaErrorName, StorageFault } from '../../../storage/base/errors.ts'

test.each<{ name: KafkaErrorName; status: number; code: number }>([
  { name: 'UNKNOWN_TOPIC_OR_PARTITION', status: 404, code: 40401 },
  { name: 'TOPIC_ALREADY_EXISTS', status: 400, code: 40002 },
  { name: 'TOPIC_AUTHORIZATION_FAILED', status: 403, code: 40301 },
  { name: 'MESSAGE_TOO_LARGE', status: 413, code: 41301 },
  { name: 'OFFSET_OUT_OF_RANGE', status: 416, code: 41601 },
  { name: 'INVALID_TIMESTAMP', status: 422, code: 42206 },
  { name: 'KAFKA_STORAGE_ERROR', status: 500, code: 50003 },
  { name: 'CORRUPT_MESSAGE', status: 500, code: 50002 },
])('errorResponse() answers $name with $status and $code', async ({ name, status, code }) => {
  const response = errorResponse(new KafkaError(name, 'Why'), '/topics')
  expect(response.status).toBe(status)
  expect(await response.json()).toEqual({ error_code: code, message: 'Why' })
})

test('errorResponse() says 40403 for an unknown topic under /v3/', async () => {
  const error = new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', 'Why')
  const body = await errorResponse(error, '/v3/clusters/c/topics/t').json()
  expect(body).toMatchObject({ error_code: 40403 })
})

test('errorBody() tells nothing of a bug, and all of a fault', () => {
  expect(errorBody(new TypeError('x is undefined'))).toEqual({
    error_code: 500,
    message: 'Internal server error',
  })
  expect(errorBody(new StorageFault('EIO on disk'))).toEqual({
    error_code: 50003,
    message: 'EIO on disk',
  })
})

test("errorResponse() carries an HttpError's headers", () => {
  const error = new HttpError(50302, 'Full', { 'retry-after': '5' })
  const response = errorResponse(error, '/')
  expect(response.status).toBe(503)
  expect(response.headers.get('retry-after')).toBe('5')
})
