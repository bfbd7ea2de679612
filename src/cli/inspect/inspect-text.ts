// An inspection as text for people.
import { countText, type Palette, printable, timeText } from '../display.ts'
import type { BatchEvent, InspectEvent, RecordEvent } from './inspect-event.ts'

/** Longest key or value in a line; `--json` has them whole. */
const MAX_SHOWN = 200

/** The lines of one event. */
export function inspectText(event: InspectEvent, colours: Palette): string {
  switch (event.kind) {
    case 'file': {
      const size = event.sizeInBytes === undefined ? '' : `, ${countText(event.sizeInBytes)} bytes`
      return `${colours.bold(event.path)}  ${event.type}${size}\n`
    }
    case 'batch':
      return `  ${batchText(event, colours)}\n`
    case 'record':
      return `    ${recordText(event, colours)}\n`
    case 'hex':
      return event.lines.map((line) => `    ${colours.dim(line)}\n`).join('')
    case 'entry':
      return `  ${fieldsText(event.fields)}\n`
    case 'problem':
      return `  ${event.isFault ? colours.red('problem:') : 'note:'} ${event.message}\n`
    case 'summary':
      return `  ${colours.dim(fieldsText(event.fields))}\n`
  }
}

function batchText(batch: BatchEvent, colours: Palette): string {
  const { baseOffset, lastOffset, position, sizeInBytes } = batch
  const place = `${colours.bold(`offsets ${baseOffset}..${lastOffset}`)}  position ${position}  size ${sizeInBytes}`
  if (batch.isCrcValid === undefined) return `${place}  message format v${batch.magic}`
  const crc = batch.isCrcValid
    ? colours.green(`crc ${batch.crc} ok`)
    : colours.red(`crc ${batch.crc} WRONG`)
  const parts = [
    place,
    crc,
    `records ${batch.recordCount}`,
    `codec ${batch.compression}`,
    `${batch.timestampType} up to ${timeOf(batch.maxTimestamp ?? '')}`,
    `leader epoch ${batch.partitionLeaderEpoch}`,
  ]
  if (batch.producerId !== undefined) {
    parts.push(
      `producer ${batch.producerId} epoch ${batch.producerEpoch} sequence ${batch.baseSequence}..${batch.lastSequence}`,
    )
  }
  if (batch.isTransactional === true) parts.push('transactional')
  if (batch.isControl === true) parts.push('control')
  if (batch.hasDeleteHorizon === true)
    parts.push(`delete horizon ${timeOf(batch.baseTimestamp ?? '')}`)
  return parts.join('  ')
}

function recordText(record: RecordEvent, colours: Palette): string {
  const parts = [`${colours.bold(String(record.offset))}  ${timeOf(record.timestamp)}`]
  const { meaning } = record
  if (meaning !== undefined) {
    const version = meaning.version === undefined ? '' : ` v${meaning.version}`
    const data = meaning.data === undefined ? '' : `  ${printable(JSON.stringify(meaning.data))}`
    return `${parts[0]}  ${meaning.type}${version}${data}`
  }
  parts.push(`key ${shown(record.key, record.keyEncoding)}`)
  parts.push(`value ${shown(record.value, record.valueEncoding)}`)
  for (const { name, value, valueEncoding } of record.headers) {
    parts.push(`${printable(name)}: ${shown(value, valueEncoding)}`)
  }
  return parts.join('  ')
}

function shown(text: string | null, encoding: 'base64' | undefined): string {
  if (text === null) return 'null'
  const short = printable(text, MAX_SHOWN)
  return encoding === undefined ? `“${short}”` : `base64 ${short}`
}

function timeOf(timestamp: string): string {
  const number = Number(timestamp)
  return Number.isSafeInteger(number) ? timeText(number) : timestamp
}

function fieldsText(fields: Readonly<Record<string, string | number | null>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name} ${value ?? 'none'}`)
    .join('  ')
}
