// Consumers over WebSockets, which acknowledge what they were given, and write their history. The argument is a plan.
import { HistoryWriter } from '../history.ts'
import { commitEveryMs, ending, onEnd, type PlannedMember, plan, sleep } from './plan.ts'

interface Message {
  readonly event?: string
  readonly partition: number
  readonly offset: number
  readonly value: string
  readonly partitions?: readonly { readonly partition: number }[]
  readonly offsets?: readonly { readonly partition: number; readonly offset: number }[]
}

/** An acknowledgement that is not yet known to be kept. Each partition has its own: those that go are kept before the others. */
interface Pending {
  readonly id: number
  readonly partition: number
  readonly next: number
}

/** One member, which comes back as often as it is cut off. */
class HttpMember {
  readonly #history: HistoryWriter
  /** Behind the last record that was given and not acknowledged, by partition. */
  readonly #given = new Map<number, number>()
  #owned = new Set<number>()
  #pending: Pending[] = []
  #commits = 0

  constructor({ name }: PlannedMember) {
    this.#history = new HistoryWriter(plan.directory, name)
    this.#history.write({ op: 'start', group: plan.group })
  }

  async run(): Promise<void> {
    while (!ending.isAsked) {
      await this.#connect()
      await sleep(100)
    }
    this.#history.write({ op: 'close' })
  }

  /** Resolves when the connection is over. */
  #connect(): Promise<void> {
    const path = `/topics/${plan.topic}/records?group=${plan.group}&from=earliest`
    const socket = new WebSocket(`${(plan.http ?? '').replace('http', 'ws')}${path}`)
    const timer = setInterval(() => {
      if (socket.readyState !== WebSocket.OPEN) return
      this.#acknowledge(socket)
      if (ending.isAsked) socket.close()
    }, commitEveryMs)
    socket.addEventListener('message', ({ data }) => this.#take(JSON.parse(String(data))))
    return new Promise((resolve) => {
      const end = () => {
        clearInterval(timer)
        this.#lose()
        resolve()
      }
      socket.addEventListener('close', end)
      socket.addEventListener('error', () => socket.close())
    })
  }

  #take(message: Message): void {
    const { event, partition, offset, value, partitions = [], offsets = [] } = message
    const numbers = partitions.map(({ partition: number }) => number)
    if (event === undefined) {
      this.#history.write({ op: 'poll', partition, records: [[offset, value]] })
      this.#given.set(partition, offset + 1)
    } else if (event === 'assigned') {
      this.#forget(({ partition: number }) => numbers.includes(number))
      for (const number of numbers) this.#owned.add(number)
      this.#history.write({ op: 'assign', partitions: numbers })
    } else if (event === 'revoked') {
      for (const number of numbers) this.#owned.delete(number)
      this.#history.write({ op: 'revoke', partitions: numbers })
    } else if (event === 'committed') this.#kept(offsets)
  }

  #acknowledge(socket: WebSocket): void {
    if (this.#given.size === 0) return
    const given = [...this.#given]
    this.#given.clear()
    for (const [partition, next] of given) {
      const id = this.#commits++
      this.#pending.push({ id, partition, next })
      this.#history.write({ op: 'commit', id, offsets: [[partition, next]] })
    }
    const ack = given.map(([partition, next]) => ({
      topic: plan.topic,
      partition,
      offset: next - 1,
    }))
    socket.send(JSON.stringify({ ack }))
  }

  #kept(offsets: readonly { readonly partition: number; readonly offset: number }[]): void {
    const known = new Map(offsets.map(({ partition, offset }) => [partition, offset]))
    const isKept = ({ partition, next }: Pending) => (known.get(partition) ?? -1) >= next
    for (const one of this.#pending) {
      if (isKept(one)) this.#history.write({ op: 'committed', id: one.id })
    }
    this.#pending = this.#pending.filter((one) => !isKept(one))
  }

  /** What was not kept before a partition came again, or before the end, is not kept any more. */
  #forget(isLate: (pending: Pending) => boolean): void {
    const late = this.#pending.filter(isLate)
    for (const { id } of late) this.#history.write({ op: 'uncommitted', id })
    this.#pending = this.#pending.filter((one) => !late.includes(one))
  }

  /** Cut off: whatever it had is another's now, or will be. */
  #lose(): void {
    this.#forget(() => true)
    this.#history.write({ op: 'revoke', partitions: [...this.#owned] })
    this.#given.clear()
    this.#owned = new Set()
  }
}

const running = plan.members.map((member) => new HttpMember(member).run())
onEnd(() => Promise.all(running))
