// loadNativeModule(): a package that is there, and one that is not.
import { expect, test } from 'vitest'
import { loadNativeModule } from '#storage/base/native-module.ts'

test('loadNativeModule() answers undefined for what this platform lacks', () => {
  expect(loadNativeModule('no-such-package-with-native-code')).toBeUndefined()
})

test('loadNativeModule() loads what is installed, here a CRC of known value', () => {
  const module = loadNativeModule<{ crc32c(bytes: Uint8Array): number }>('@node-rs/crc32')
  expect(module?.crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
})
