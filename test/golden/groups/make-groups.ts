// Makes groups.jsonl.gz anew with Kafka's own assignors, hashes and codecs: see GoldenGroups.java beside it.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { runJava } from '../../kafka/kafka.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const lines = await runJava(join(here, 'GoldenGroups.java'))
const packed = gzipSync(lines, { level: 9 })
writeFileSync(join(here, 'groups.jsonl.gz'), packed)
console.log(`${lines.trimEnd().split('\n').length} lines, ${packed.length} bytes`)
