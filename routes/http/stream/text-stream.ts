// A stream of text that is made only as fast as its reader takes it.

/**
 * The bytes of a generator's texts. Nothing is made ahead: each piece is asked for by the reader, so a slow one holds
 * one piece and what the sockets hold. `onEnd` is called once, however it ends.
 */
export function textStream(
  texts: AsyncGenerator<string>,
  { signal, onEnd }: { signal: AbortSignal; onEnd: () => void },
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let isOpen = true
  const end = (): void => {
    if (!isOpen) return
    isOpen = false
    signal.removeEventListener('abort', end)
    onEnd()
    // A generator that waits ends when onEnd has ended its wait.
    void texts.return(undefined).catch(() => undefined)
  }
  // Some runtimes tell of a lost client by the request's signal only.
  if (signal.aborted) queueMicrotask(end)
  else signal.addEventListener('abort', end)
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await texts.next()
          if (!done) return controller.enqueue(encoder.encode(value))
          end()
          controller.close()
        } catch (error) {
          end()
          controller.error(error)
        }
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  )
}
