// Ways to tamper with a history so that it holds an anomaly of a certain kind.
import type { AnomalyKind } from './findings.ts'
import type { HistoryEvent, SeenRecord } from './history.ts'
import type { Choices } from './made-up.ts'

type Polled = HistoryEvent & { readonly op: 'poll' }
type Log = HistoryEvent & { readonly op: 'log' }

const polls = (history: readonly HistoryEvent[]) =>
  history.filter((event): event is Polled => event.op === 'poll')
const logs = (history: readonly HistoryEvent[]) =>
  history.filter((event): event is Log => event.op === 'log')
const swap = <T extends HistoryEvent>(history: readonly HistoryEvent[], old: T, changed: T) =>
  history.map((event) => (event === old ? changed : event))

/** Where each acknowledged value is. */
function acknowledged(history: readonly HistoryEvent[]) {
  return history.flatMap((event) =>
    event.op === 'sent'
      ? event.values.map((value, index) => ({
          value,
          partition: event.partition,
          offset: event.offset + index,
        }))
      : [],
  )
}

/** The highest position of each partition that was kept, and whose it was. */
function kept(history: readonly HistoryEvent[]) {
  const asked = new Map<number, HistoryEvent & { readonly op: 'commit' }>()
  const found = new Map<number, { partition: number; offset: number; process: string }>()
  for (const event of history) {
    if (event.op === 'commit') asked.set(event.id, event)
    const commit = event.op === 'committed' ? asked.get(event.id) : undefined
    for (const [partition, offset] of commit?.offsets ?? [])
      if (offset > (found.get(partition)?.offset ?? -1))
        found.set(partition, { partition, offset, process: event.process })
  }
  return [...found.values()]
}

/** Events behind all others. */
function append(history: readonly HistoryEvent[], ...more: readonly object[]): HistoryEvent[] {
  const end = history.at(-1)?.at ?? 0
  const late = more.map(
    (event, index) => ({ at: end + 10 * (index + 1), ...event }) as HistoryEvent,
  )
  return [...history, ...late]
}

function inLog(
  history: readonly HistoryEvent[],
  choices: Choices,
  change: (records: readonly SeenRecord[], log: Log) => readonly SeenRecord[] | undefined,
): HistoryEvent[] | undefined {
  const log = choices.of(logs(history))
  const records = log === undefined ? undefined : change(log.records, log)
  if (log === undefined || records === undefined) return undefined
  return swap(history, log, { ...log, records, end: (records.at(-1)?.[0] ?? -1) + 1 })
}

/** Takes a history and gives one with an anomaly; undefined where there is nothing to tamper with. */
export type Tampering = (
  history: readonly HistoryEvent[],
  choices: Choices,
) => HistoryEvent[] | undefined

/** One way for each kind. */
export const tamperings: Readonly<Record<AnomalyKind, Tampering>> = {
  'lost-write': (history, choices) =>
    inLog(history, choices, (records, { partition }) => {
      const lost = choices.of(
        acknowledged(history).filter(
          ({ partition: number, offset }) =>
            number === partition && offset < (records.at(-1)?.[0] ?? -1),
        ),
      )
      return lost && records.filter(([offset]) => offset !== lost.offset)
    }),

  unseen: (history, choices) => {
    const isGroup = choices.below(2) === 0
    const read = new Set(polls(history).flatMap(({ records }) => records.map(([, value]) => value)))
    if (isGroup) {
      const value = choices.of([...read])
      if (value === undefined) return undefined
      return history.map((event) =>
        event.op === 'poll'
          ? { ...event, records: event.records.filter(([, other]) => other !== value) }
          : event,
      )
    }
    // Nobody saw the last record: the group's own reading of everything is left out.
    return inLog(
      history.filter((event) => event.op !== 'poll' && event.op !== 'drained'),
      choices,
      (records) => {
        const last = records.at(-1)?.[1]
        const isKnown = acknowledged(history).some(({ value }) => value === last)
        return isKnown ? records.slice(0, -1) : undefined
      },
    )
  },

  duplicate: (history, choices) =>
    inLog(history, choices, (records) => {
      const twice = choices.of(records)
      return twice && [...records, [(records.at(-1)?.[0] ?? 0) + 1, twice[1]]]
    }),

  'inconsistent-offsets': (history, choices) => {
    const poll = choices.of(polls(history))
    if (poll === undefined) return undefined
    const at = choices.below(poll.records.length)
    const records = poll.records.map(
      ([offset, value], index): SeenRecord => [offset, index === at ? `${value}, changed` : value],
    )
    return swap(history, poll, { ...poll, records })
  },

  'invented-value': (history, choices) =>
    inLog(history, choices, (records) => [
      ...records,
      [(records.at(-1)?.[0] ?? -1) + 1, 'from nowhere'],
    ]),

  'refused-value': (history, choices) => {
    const sent = choices.of(history.filter((event) => event.op === 'sent'))
    if (sent?.op !== 'sent') return undefined
    const { at, process, values } = sent
    const refused: HistoryEvent = { at, process, op: 'unsent', values, refused: true }
    return history.map((event) => (event === sent ? refused : event))
  },

  'reordered-write': (history, choices) => {
    // A value is sent once more after everything, and acknowledged where the log had ended before.
    const log = choices.of(
      logs(history).filter(({ partition }) =>
        acknowledged(history).some((sent) => sent.partition === partition),
      ),
    )
    if (log === undefined) return undefined
    const { partition } = log
    const highest = Math.max(
      ...acknowledged(history).flatMap((sent) =>
        sent.partition === partition ? [sent.offset] : [],
      ),
    )
    const values = ['late']
    const process = 'w late'
    return append(
      history,
      { process, op: 'send', partition, values },
      { process, op: 'sent', partition, offset: choices.below(highest + 1), values },
    )
  },

  'poll-skip': (history, choices) => {
    const poll = choices.of(polls(history).filter(({ records }) => records.length > 2))
    if (poll === undefined) return undefined
    const skipped = 1 + choices.below(poll.records.length - 2)
    const records = poll.records.filter((_, index) => index !== skipped)
    return swap(history, poll, { ...poll, records })
  },

  'nonmonotonic-poll': (history, choices) => {
    const poll = choices.of(polls(history))
    return poll && history.flatMap((event) => (event === poll ? [event, event] : [event]))
  },

  'unowned-poll': (history, choices) => {
    const poll = choices.of(polls(history))
    if (poll === undefined) return undefined
    const { at, process, partition } = poll
    const revoke: HistoryEvent = { at, process, op: 'revoke', partitions: [partition] }
    return history.flatMap((event) => (event === poll ? [revoke, event] : [event]))
  },

  'group-skip': (history, choices) => {
    const position = choices.of(kept(history).filter(({ offset }) => offset > 0))
    if (position === undefined) return undefined
    const skipped = choices.below(position.offset)
    return history.map((event) =>
      event.op === 'poll' && event.partition === position.partition
        ? { ...event, records: event.records.filter(([offset]) => offset !== skipped) }
        : event,
    )
  },

  'lost-commit': (history, choices) => {
    const position = choices.of(kept(history))
    if (position === undefined) return undefined
    const since = (history.at(-1)?.at ?? 0) + 5
    const offsets = [[position.partition, -1]]
    return append(history, { process: 'onlooker', op: 'fetched', group: 'g', since, offsets })
  },

  'invented-commit': (history, choices) => {
    const process = 'c late'
    const offset = 1_000_000 + choices.below(10)
    return append(
      history,
      { process, op: 'start', group: 'g' },
      { process, op: 'assign', partitions: [0] },
      { process, op: 'position', partition: 0, offset },
    )
  },

  'committed-back': (history, choices) => {
    const position = choices.of(kept(history).filter(({ offset }) => offset > 0))
    if (position === undefined) return undefined
    const { process, partition, offset } = position
    const offsets = [[partition, choices.below(offset)]]
    return append(
      history,
      { process, op: 'commit', id: -1, offsets },
      { process, op: 'committed', id: -1 },
    )
  },

  'zombie-commit': (history, choices) => {
    const position = choices.of(kept(history))
    if (position === undefined) return undefined
    const { process, partition, offset } = position
    return append(
      history,
      { process: 'c late', op: 'start', group: 'g' },
      { process: 'c late', op: 'assign', partitions: [partition] },
      { process, op: 'commit', id: -1, offsets: [[partition, offset]] },
      { process, op: 'committed', id: -1 },
    )
  },

  'two-owners': (history, choices) => {
    const assign = choices.of(history.filter((event) => event.op === 'assign'))
    if (assign?.op !== 'assign' || assign.partitions.length === 0) return undefined
    const { at, partitions, generation = 0 } = assign
    const process = 'c twin'
    const start: HistoryEvent = { at, process, op: 'start', group: 'g' }
    const twin: HistoryEvent = { at, process, op: 'assign', partitions, generation }
    return history.flatMap((event) => (event === assign ? [event, start, twin] : [event]))
  },
}
