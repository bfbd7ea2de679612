// A script's talk with one broker: what was asked, and what was answered in words that two brokers share.
import { ZERO_UUID } from '../../../storage/base/uuid.ts'
import { type Exchange, RawClient } from '../raw-client.ts'
import { CONSUME, CREATE_TOPICS, METADATA } from './exchanges.ts'

const PATIENCE_MS = 30_000

/** What is said to a broker, step by step; every broker must answer in the same way. */
export interface Script {
  readonly name: string
  run(talk: Talk): Promise<void>
}

/** One run of a script. Ids that the broker makes up are told to `call()`, which names them; `transcript` shows the names. */
export class Talk {
  readonly #bootstrap: string
  readonly #clients: RawClient[] = []
  #own: Promise<RawClient> | undefined
  readonly #names = new Map<string, string>()
  readonly #steps: [label: string, answer: unknown][] = []

  constructor(bootstrap: string) {
    this.#bootstrap = bootstrap
  }

  /** A connection of its own: on one, a parked answer holds up all others. */
  async connect(): Promise<RawClient> {
    const client = await RawClient.connect(this.#bootstrap)
    this.#clients.push(client)
    return client
  }

  /** Asks on the talk's own connection, and notes the answer. */
  async ask<QI, R>(
    label: string,
    exchange: Exchange<QI, R>,
    version: number,
    body: QI,
  ): Promise<R> {
    return this.note(label, await this.askQuietly(exchange, version, body))
  }

  /** Asks without a note. */
  async askQuietly<QI, R>(exchange: Exchange<QI, R>, version: number, body: QI): Promise<R> {
    this.#own ??= this.connect()
    return await (await this.#own).ask(exchange, body, version)
  }

  /** Asks again and again until the answer is as it has to become; notes the last one. */
  async until<R>(label: string, ask: () => Promise<R>, isDone: (answer: R) => boolean): Promise<R> {
    return this.note(label, await this.#becomes(ask, isDone))
  }

  note<R>(label: string, answer: R): R {
    this.#steps.push([label, answer])
    return answer
  }

  /** From now on `id` is called `name`; its first name stays. */
  call(id: string, name: string): void {
    if (!this.#names.has(id)) this.#names.set(id, `<${name}>`)
  }

  /** Creates a topic and waits until it has leaders, and the group coordinator has heard of it; its id. */
  async topic(name: string, numPartitions: number): Promise<string> {
    const topic = { name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }
    await this.askQuietly(CREATE_TOPICS, 7, { topics: [topic], timeoutMs: 10_000 })
    const topics = [{ topicId: ZERO_UUID, name }]
    const found = await this.#becomes(
      async () => (await this.askQuietly(METADATA, 12, { topics })).topics[0],
      (answer) => answer !== undefined && isLed(answer, numPartitions),
    )
    const topicId = found?.topicId ?? ZERO_UUID
    this.call(topicId, `id of ${name}`)
    await this.#knownToGroups(name)
    return topicId
  }

  async #becomes<R>(ask: () => Promise<R>, isDone: (answer: R) => boolean): Promise<R> {
    const deadline = performance.now() + PATIENCE_MS
    for (;;) {
      const answer = await ask()
      if (isDone(answer) || performance.now() > deadline) return answer
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  async #knownToGroups(topic: string): Promise<void> {
    const body = {
      groupId: `${topic} is known`,
      memberId: 'probe',
      memberEpoch: 0,
      rebalanceTimeoutMs: 1000,
      subscribedTopicNames: [topic],
      topicPartitions: [],
    }
    await this.#becomes(
      () => this.askQuietly(CONSUME, 1, body),
      ({ assignment, errorCode }) => errorCode !== 0 || !!assignment?.topicPartitions.length,
    )
    await this.askQuietly(CONSUME, 1, { ...body, memberEpoch: -1 })
  }

  /** All notes by label, with names in place of ids, and lists without their order. */
  transcript(): Record<string, unknown> {
    return Object.fromEntries(
      this.#steps.map(([label, answer], at) => [`${at + 1} ${label}`, this.#shown(answer)]),
    )
  }

  close(): void {
    for (const client of this.#clients) client.close()
  }

  #shown(value: unknown): unknown {
    if (value instanceof Uint8Array) return this.#named(Buffer.from(value).toString('latin1'))
    if (typeof value === 'string') return this.#named(value)
    if (Array.isArray(value)) return value.map((item) => this.#shown(item)).toSorted(byText)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, field]) => {
        if (name === 'errorMessage') return [name, field ? 'a sentence' : field]
        if (name === 'documentation') return [name, 'a sentence']
        if (name === 'port') return [name, Number(field) > 0]
        return [name, this.#shown(field)]
      }),
    )
  }

  #named(text: string): string {
    let named = text
    for (const [id, name] of this.#names) named = named.replaceAll(id, name)
    return named
  }
}

const byText = (left: unknown, right: unknown) =>
  JSON.stringify(left) < JSON.stringify(right) ? -1 : 1

const isLed = (
  topic: { errorCode: number; partitions: readonly { errorCode: number }[] },
  count: number,
): boolean =>
  topic.errorCode === 0 &&
  topic.partitions.length === count &&
  topic.partitions.every(({ errorCode }) => errorCode === 0)

/** Runs a script; an error of its own becomes its last note. */
export async function runScript(script: Script, bootstrap: string) {
  const talk = new Talk(bootstrap)
  try {
    await script.run(talk)
  } catch (error) {
    talk.note('ended early', String(error))
  } finally {
    talk.close()
  }
  return talk.transcript()
}
