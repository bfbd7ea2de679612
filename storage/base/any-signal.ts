// One signal out of several.

/** A signal that aborts as soon as one of its sources does, until it is released. */
export interface AnySignal {
  readonly signal: AbortSignal
  /** Lets go of the sources. Again is harmless. */
  release(): void
}

/**
 * As `AbortSignal.any`, which leaves something behind in every source: sources that live as long as a door would
 * grow with each request.
 */
export function anySignal(sources: readonly AbortSignal[]): AnySignal {
  const controller = new AbortController()
  const abort = () => controller.abort()
  for (const source of sources) {
    if (source.aborted) abort()
    else source.addEventListener('abort', abort)
  }
  return {
    signal: controller.signal,
    release: () => {
      for (const source of sources) source.removeEventListener('abort', abort)
    },
  }
}
