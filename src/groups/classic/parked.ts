// A request whose answer waits for other members.

/** The answer to come. A request that is sent again while the first waits shares it. */
export class Parked<Answer> {
  readonly promise: Promise<Answer>
  readonly answer: (answer: Answer) => void

  constructor() {
    const { promise, resolve } = Promise.withResolvers<Answer>()
    this.promise = promise
    this.answer = resolve
  }
}
