// Deletes the oldest records of a partition: its log start moves up, as with Kafka's DeleteRecords.
import { Hono } from 'hono'
import { type Door, type Env, existingTopic, sessionOf } from './door.ts'
import { HttpError } from './errors.ts'
import { partitionOf, placeOf, topicOf } from './parameters.ts'
import { answer, findPartition } from './topics.ts'

const NAMES = { offset: 'before', timestamp: 'before_timestamp' }

/** `DELETE /topics/{topic}/partitions/{partition}/records?before=`, answered when the log start is on disk. */
export function deleteRecordRoutes(door: Door): Hono<Env> {
  const { broker } = door
  const routes = new Hono<Env>()
  routes.delete('/topics/:topic/partitions/:partition/records', async (c) => {
    const spec = placeOf(c, NAMES)
    if (spec === undefined) {
      throw new HttpError(400, 'Say what to delete with before or before_timestamp')
    }
    const session = sessionOf(door, c)
    const topic = topicOf(c)
    const { partition } = findPartition(await existingTopic(broker, session, topic), partitionOf(c))
    // Nothing waits between the two: records that come meanwhile are not deleted.
    const offset = broker.findOffset(session, { topic, partition, spec })
    const logStartOffset = await broker.deleteRecords(session, { topic, partition, offset })
    return answer(c, { log_start_offset: logStartOffset })
  })
  return routes
}
