// Short words for the events of made-up histories, all of partition 0 and the group `g`.
import type { Happening, HistoryEvent, Position } from './history.ts'

/** An event, and how long after the one before it: 1 ms when it is not said. */
export type Step = { readonly process: string; readonly after?: number } & Happening

function timed(steps: readonly Step[]): HistoryEvent[] {
  let at = 0
  return steps.map(({ after = 1, ...step }) => {
    at += after
    return { ...step, at }
  })
}

/** A producer sends these values to partition 0. */
export const send = (...values: string[]): Step => ({
  process: 'w',
  op: 'send',
  partition: 0,
  values,
})
/** They were acknowledged, from this offset on. */
export const sent = (offset: number, ...values: string[]): Step => ({
  process: 'w',
  op: 'sent',
  partition: 0,
  offset,
  values,
})
/** Values a, b, c … sent and acknowledged at 0, 1, 2 …. */
export const written = (values: string): Step[] => [send(...values), sent(0, ...values)]
const records = (from: number, values: string) =>
  [...values].map((value, index) => [from + index, value] as const)
/** The last read found these values, from an offset on. */
export const log = (values: string, start = 0): Step => ({
  process: 'reader',
  op: 'log',
  partition: 0,
  start,
  end: start + values.length,
  records: records(start, values),
})
/** A consumer begins. */
export const begin = (process: string, instance?: string): Step => ({
  process,
  op: 'start',
  group: 'g',
  ...(instance === undefined ? {} : { instance }),
})
/** It was given partition 0. */
export const assign = (process: string, generation?: number): Step => ({
  process,
  op: 'assign',
  partitions: [0],
  ...(generation === undefined ? {} : { generation }),
})
/** That was taken away. */
export const revoke = (process: string): Step => ({ process, op: 'revoke', partitions: [0] })
/** It was given these values, from an offset on. */
export const poll = (process: string, from: number, values: string): Step => ({
  process,
  op: 'poll',
  partition: 0,
  records: records(from, values),
})
/** It says where it begins. */
export const at = (process: string, offset: number): Step => ({
  process,
  op: 'position',
  partition: 0,
  offset,
})
/** It goes elsewhere. */
export const seek = (process: string, offset: number): Step => ({
  process,
  op: 'seek',
  partition: 0,
  offset,
})
/** It ends. */
export const close = (process: string): Step => ({ process, op: 'close' })
/** It asks for a position to be kept. */
export const ask = (process: string, offset: number, id = 0): Step => ({
  process,
  op: 'commit',
  id,
  offsets: [[0, offset]],
})
/** That was kept. */
export const kept = (process: string, id = 0): Step => ({ process, op: 'committed', id })
/** That failed. */
export const failed = (process: string, refused = false, id = 0): Step => ({
  process,
  op: 'uncommitted',
  id,
  refused,
})
/** It asks, and that was kept. */
export const commit = (process: string, offset: number, id = 0): Step[] => [
  ask(process, offset, id),
  kept(process, id),
]
/** An onlooker asked so many milliseconds ago, and finds this position. */
export const fetched = (offset: number, ago = 1): Step => ({
  process: 'onlooker',
  op: 'fetched',
  group: 'g',
  since: -ago,
  offsets: [[0, offset]] as Position[],
})
/** The group should have been given everything. */
export const drained: Step = { process: 'driver', op: 'drained', group: 'g' }

/** Their events; `since` of an onlooker is written as time before its answer. */
export function history(steps: readonly Step[]): HistoryEvent[] {
  return timed(steps).map((event) =>
    event.op === 'fetched' ? { ...event, since: event.at + event.since } : event,
  )
}

/** A consumer that begins and gets the partition. */
export const member = (name: string, generation?: number): Step[] => [
  begin(name),
  assign(name, generation),
]
