// Which topic names Kafka allows (`org.apache.kafka.common.internals.Topic`).
import { KafkaError } from '#storage/base/errors.ts'

const LONGEST = 249

/** Throws INVALID_TOPIC_EXCEPTION unless Kafka would take the name. */
export function checkTopicName(name: string): void {
  const fault = topicNameFault(name)
  if (fault !== undefined) throw new KafkaError('INVALID_TOPIC_EXCEPTION', fault)
}

/**
 * The form in which names collide: metrics turn `.` into `_`, so `a.b` and `a_b` would be one there, and Kafka refuses
 * the second.
 */
export function collisionForm(name: string): string {
  return name.replaceAll('.', '_')
}

/** Whether the name has a character that can make it collide with another. */
export function mayCollide(name: string): boolean {
  return name.includes('.') || name.includes('_')
}

function topicNameFault(name: string): string | undefined {
  if (name === '') return 'A topic name cannot be empty'
  if (name === '.' || name === '..') return `A topic cannot be named ${name}`
  if (name.length > LONGEST) {
    return `A topic name of ${name.length} characters is longer than ${LONGEST}: ${name}`
  }
  if (/^[a-zA-Z0-9._-]+$/.test(name)) return undefined
  return `Topic name ${JSON.stringify(name)} has characters other than ASCII letters, digits, '.', '_' and '-'`
}
