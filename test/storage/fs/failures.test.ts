// Which system errors are refusals, which are faults.
import { expect, test } from 'vitest'
import { AssertionError, KafkaError, StorageFault } from '#storage/base/errors.ts'
import { failureKind, storageError } from '#storage/fs/failures.ts'
import { systemError } from '#storage/fs/system-error.ts'

test.each([
  ...['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'EFBIG', 'ENOMEM'].map((code) => ({
    code,
    kind: 'refusal',
  })),
  ...['EIO', 'EROFS', 'ENOENT', 'ENXIO', 'EACCES', 'E2BIG'].map((code) => ({
    code,
    kind: 'fault',
  })),
  ...['ERR_OUT_OF_RANGE', 'ERR_INVALID_ARG_TYPE'].map((code) => ({ code, kind: 'bug' })),
])('failureKind() takes $code for a $kind', ({ code, kind }) => {
  expect(failureKind(systemError(code, 'x'))).toBe(kind)
})

test('storageError() makes a refusal of a full disk, with its cause', () => {
  const cause = systemError('ENOSPC', 'write')
  const error = storageError(cause, 'Appending to orders-0')
  expect(error).toBeInstanceOf(KafkaError)
  expect(error).toMatchObject({
    code: 'KAFKA_STORAGE_ERROR',
    message: 'Appending to orders-0 failed with ENOSPC',
    cause,
  })
})

test('storageError() makes a fault of failing media, with its cause', () => {
  const cause = systemError('EIO', 'read')
  const error = storageError(cause, 'Reading orders-0')
  expect(error).toBeInstanceOf(StorageFault)
  expect(error).toMatchObject({ message: 'Reading orders-0 failed with EIO', cause })
})

test.each([
  new KafkaError('OFFSET_OUT_OF_RANGE', 'x'),
  new StorageFault('x'),
  new AssertionError('x'),
  new TypeError('x'),
  undefined,
  'x',
])('storageError() leaves %s as it is', (error) => {
  expect(storageError(error, 'Reading')).toBe(error)
})
