// One copy of texts that come again and again.

/** So many texts are remembered; then it starts anew, which costs memory alone. */
const MAX_TEXTS = 10_000

/** Gives equal texts as the same string: each decoded record brings copies of its own. */
export class Interned {
  readonly #texts = new Map<string, string>()
  /** Records of one commit stand together, and comparing is quicker than hashing. */
  #last = ''

  of(text: string): string {
    if (text === this.#last) return this.#last
    this.#last = this.#known(text)
    return this.#last
  }

  #known(text: string): string {
    const known = this.#texts.get(text)
    if (known !== undefined) return known
    if (this.#texts.size >= MAX_TEXTS) this.#texts.clear()
    this.#texts.set(text, text)
    return text
  }
}
