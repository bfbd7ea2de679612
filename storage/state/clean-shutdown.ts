// The `.kafka_cleanshutdown` file: its presence says that all logs of a directory were closed properly.

/** The file's name. Read and deleted at start, before any log is loaded. */
export const CLEAN_SHUTDOWN_FILE = '.kafka_cleanshutdown'

/** JSON without a newline at the end; a broker epoch of -1 stands for "unknown". */
export function serializeCleanShutdown(brokerEpoch: number): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ version: 0, brokerEpoch }))
}

/** The broker epoch; -1 when the file holds none: an empty or strange one still marks a clean stop. */
export function parseCleanShutdown(bytes: Uint8Array): number {
  try {
    const content: unknown = JSON.parse(new TextDecoder().decode(bytes))
    if (typeof content !== 'object' || content === null || !('brokerEpoch' in content)) return -1
    return Number.isSafeInteger(content.brokerEpoch) ? Number(content.brokerEpoch) : -1
  } catch (error) {
    if (error instanceof SyntaxError) return -1
    throw error
  }
}
