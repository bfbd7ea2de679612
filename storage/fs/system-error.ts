// Errors in the shape of the system's own, for failures that node:fs did not report itself.

/** An error with a `code` such as `EIO`. The message reads `EIO: what happened`. */
export function systemError(code: string, message: string): Error & { code: string } {
  return Object.assign(new Error(`${code}: ${message}`), { code })
}
