// A local provider over memory, as the tests of metadata use it.

import type { ConfigResource, MetadataImage } from '../../../src/metadata/image.ts'
import {
  LocalMetadataProvider,
  type LocalProviderOptions,
} from '../../../src/metadata/local-provider.ts'
import type { ConfigRules } from '../../../src/metadata/provider.ts'
import type { StoredRecord } from '../../../src/metadata/store.ts'
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  type NewMetadataRecord,
} from '../../../src/protocol/records/metadata-record.ts'
import { KafkaError } from '../../../storage/base/errors.ts'
import type { Random } from '../../../storage/base/world.ts'
import { MemoryStore } from './memory-store.ts'

/** The only node. */
export const NODE_ID = 1
/** Its only log directory. */
export const DIRECTORY_ID = 'EcBj2HU8TJaSLKRhi_xImw'

/** Refuses configs named `bad`; `cleanup.policy` is a list. */
export const rules: ConfigRules = {
  validate(_resource: ConfigResource, configs) {
    if (configs.has('bad')) throw new KafkaError('INVALID_CONFIG', 'Config bad is unknown')
  },
  isList: (_resource, name) => name === 'cleanup.policy',
  defaultValue: (_resource, name) => (name === 'cleanup.policy' ? 'delete' : undefined),
}

/** Bytes that count up: every uuid differs, and every run is the same. */
export function countingRandom(): Random {
  let next = 0
  return {
    float: () => 0.5,
    bytes: (size) => {
      next++
      return Uint8Array.from({ length: size }, (_, at) => (at < 4 ? next >>> (8 * at) : 7))
    },
  }
}

/** What a provider of that node is given. */
export function optionsFor(store: MemoryStore): LocalProviderOptions {
  return {
    store,
    rules,
    random: countingRandom(),
    defaults: () => ({ partitionCount: 2, replicationFactor: 1 }),
    chooseDirectory: () => DIRECTORY_ID,
    node: {
      nodeId: NODE_ID,
      metadataDirectoryId: DIRECTORY_ID,
      directoryIds: [DIRECTORY_ID],
      endpoints: [{ name: 'PLAINTEXT', host: 'localhost', port: 9092, securityProtocol: 0 }],
      controllerEndpoint: { host: 'localhost', port: 9093 },
      rack: null,
    },
  }
}

/** A started provider over `store`. */
export async function startProvider(store = new MemoryStore()) {
  const provider = LocalMetadataProvider.open(optionsFor(store))
  await provider.start()
  return { provider, store }
}

/** The data records of a log from `offset` on, decoded. */
export function dataRecords(records: readonly StoredRecord[], offset = 0) {
  return records
    .filter((record) => !record.isControl && record.offset >= offset)
    .map(({ value }) => decodeMetadataRecord(value ?? new Uint8Array(0)))
}

/** A log that holds these records. */
export function storedRecords(records: readonly NewMetadataRecord[], epoch = 1): StoredRecord[] {
  return records.map((record, offset) => ({
    offset,
    epoch,
    isControl: false,
    key: null,
    value: encodeMetadataRecord(record),
  }))
}

/** An image as plain data, to compare; offset and epoch apart. */
export function plain({ state }: MetadataImage) {
  const map = <V>(entries: Iterable<readonly [unknown, V]>) =>
    Object.fromEntries([...entries].map(([key, value]) => [String(key), value]))
  const { offset, epoch, ...rest } = state
  const tables = Object.entries(rest).map(([name, value]) => [
    name,
    typeof value === 'object' && Symbol.iterator in value
      ? map(value as Iterable<readonly [unknown, unknown]>)
      : value,
  ])
  return Object.fromEntries(tables)
}
