// The recorded conversations: what real clients asked a real Kafka, and what it answered.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { PassedFrame } from './recording-proxy.ts'

/** What one client said, from its first connection to its last. */
export interface Conversation {
  readonly client: string
  readonly about: string
  readonly frames: readonly PassedFrame[]
}

/** What the recorded Kafka was told, and what a broker that is compared with it has to be told. */
export const SETTINGS = {
  'auto.create.topics.enable': 'true',
  'num.partitions': '1',
  'offsets.topic.num.partitions': '1',
  // A replay waits for nobody.
  'group.initial.rebalance.delay.ms': '0',
  'group.consumer.assignment.interval.ms': '0',
} as const

const file = fileURLToPath(new URL('conversations.jsonl.gz', import.meta.url))

/** All of them, in the order in which they took place. None before the first recording. */
export function readConversations(): Conversation[] {
  if (!existsSync(file)) return []
  const lines = gunzipSync(readFileSync(file)).toString('utf8').trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line, revive))
}

/** Replaces the recording; its size in bytes. */
export function writeConversations(conversations: readonly Conversation[]): number {
  const text = conversations.map((one) => `${JSON.stringify(one, plain)}\n`).join('')
  const bytes = gzipSync(text, { level: 9 })
  writeFileSync(file, bytes)
  return bytes.length
}

function plain(_name: string, value: unknown): unknown {
  // Buffers turn themselves into an object before they come here.
  const isBuffer = typeof value === 'object' && value !== null && 'type' in value && 'data' in value
  if (isBuffer) return { base64: Buffer.from(value.data as number[]).toString('base64') }
  return value instanceof Uint8Array ? { base64: Buffer.from(value).toString('base64') } : value
}

function revive(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('base64' in value)) return value
  return new Uint8Array(Buffer.from(String(value.base64), 'base64'))
}
