// Makes messages.jsonl.gz anew with Kafka's generated message classes: see GoldenMessages.java beside it.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { runJava } from '../../kafka/kafka.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const lines = await runJava(join(here, 'GoldenMessages.java'))
const packed = gzipSync(lines, { level: 9 })
writeFileSync(join(here, 'messages.jsonl.gz'), packed)
console.log(`${lines.trimEnd().split('\n').length} lines, ${packed.length} bytes`)
