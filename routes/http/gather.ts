// Records that come in the same turn of the event loop are appended together, whoever sent them.
import type { Session } from '#src/access/session.ts'
import type { Acks, Broker, ProducedRecord, ProducedResult } from '#src/broker/broker.ts'
import { nextTurn } from '#storage/base/event-loop.ts'

/** So many records at most become one append. */
const MAX_RECORDS = 1_000

/** Calls that wait for the end of the turn: one topic, one kind of acknowledgement, one principal. */
interface Gathering {
  readonly topic: string
  readonly acks: Acks
  readonly session: Session
  readonly records: ProducedRecord[]
  readonly callers: Caller[]
}

interface Caller {
  readonly from: number
  readonly count: number
  resolve(results: readonly ProducedResult[]): void
  reject(error: unknown): void
}

/**
 * Many clients that send one record each cost a batch for all of them, not a batch for each. What a call appends stands
 * together and in order, as do the calls; a call of many records is appended by itself, behind what waits.
 */
export class Gather {
  readonly #broker: Pick<Broker, 'produceRecords'>
  #waiting: Gathering[] = []

  constructor(broker: Pick<Broker, 'produceRecords'>) {
    this.#broker = broker
  }

  /** As `Broker.produceRecords`, at the end of this turn. The records' bytes must stay as they are until it resolves. */
  produce(
    session: Session,
    topic: string,
    records: readonly ProducedRecord[],
    acks: Acks,
  ): Promise<readonly ProducedResult[]> {
    const gathering = this.#find(session, topic, acks, records.length)
    return new Promise((resolve, reject) => {
      const from = gathering.records.length
      for (let at = 0; at < records.length; at++) {
        gathering.records.push(records[at] as ProducedRecord)
      }
      gathering.callers.push({ from, count: records.length, resolve, reject })
    })
  }

  #find(session: Session, topic: string, acks: Acks, count: number): Gathering {
    // The last one of its kind: the order of calls is the order of appends.
    let at = this.#waiting.length - 1
    while (at >= 0 && !isOfKind(this.#waiting[at] as Gathering, topic, acks, session)) at -= 1
    const known = this.#waiting[at]
    if (known !== undefined && known.records.length + count <= MAX_RECORDS) return known
    if (this.#waiting.length === 0) void nextTurn().then(() => this.#append())
    const gathering: Gathering = { topic, acks, session, records: [], callers: [] }
    this.#waiting.push(gathering)
    return gathering
  }

  #append(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const { session, topic, records, acks, callers } of waiting) {
      this.#broker.produceRecords(session, topic, records, acks).then(
        (results) => {
          const isAlone = callers.length === 1
          for (const { from, count, resolve } of callers) {
            resolve(isAlone ? results : results.slice(from, from + count))
          }
        },
        (error: unknown) => {
          for (const { reject } of callers) reject(error)
        },
      )
    }
  }
}

function isOfKind(gathering: Gathering, topic: string, acks: Acks, session: Session): boolean {
  return (
    gathering.topic === topic &&
    gathering.acks === acks &&
    gathering.session.clientId === session.clientId &&
    gathering.session.principal === session.principal
  )
}
