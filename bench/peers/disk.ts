// What the disk and the memory can do, without any broker: the limits that a run's figures stand beside.
import { closeSync, fdatasync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { spread } from './judge.ts'
import type { Metrics } from './result.ts'

const PIECE = 16_384
const PAGE = 4096

/** MiB/s of write(2) in pieces of 16 KiB into a new file, without waiting for the disk. */
export function bareWrite(folder: string, mib: number): number {
  return withFile(folder, (fd) => {
    const piece = new Uint8Array(PIECE).fill(65)
    const start = performance.now()
    for (let left = mib * 1_048_576; left > 0; left -= PIECE) writeSync(fd, piece)
    return (mib / (performance.now() - start)) * 1000
  })
}

/** MiB/s of the same with the disk's own speed: one fdatasync at the end counts. */
export function bareWriteSynced(folder: string, mib: number): number {
  return withFile(folder, (fd) => {
    const piece = new Uint8Array(PIECE).fill(65)
    const start = performance.now()
    for (let left = mib * 1_048_576; left > 0; left -= PIECE) writeSync(fd, piece)
    fdatasyncSync(fd)
    return (mib / (performance.now() - start)) * 1000
  })
}

/**
 * Microseconds until a page of memory that was free is there, over `mib` of them. Where a host takes back what its virtual
 * machines have freed, every page that a log grows by waits for the host, whoever the broker is.
 */
export function bareTouch(mib: number): number {
  const start = performance.now()
  const { length } = touchedPages(mib)
  return ((performance.now() - start) * 1000) / (length / PAGE)
}

/** New memory, all of whose pages are there. */
export function touchedPages(mib: number): Uint8Array {
  const pages = new Uint8Array(mib * 1_048_576)
  for (let at = 0; at < pages.length; at += PAGE) pages[at] = 1
  return pages
}

/** One write of `size` bytes and an fdatasync off the loop, again and again: the wait for each fdatasync, in microseconds. */
export async function bareSync(folder: string, size: number, count: number): Promise<Metrics> {
  const path = join(folder, 'bare-sync')
  const fd = openSync(path, 'w')
  const piece = new Uint8Array(size).fill(65)
  const waits: number[] = []
  try {
    for (let i = 0; i < count; i++) {
      writeSync(fd, piece)
      const start = performance.now()
      await new Promise<void>((resolve, reject) => {
        fdatasync(fd, (error) => (error ? reject(error) : resolve()))
      })
      waits.push((performance.now() - start) * 1000)
    }
  } finally {
    closeSync(fd)
    rmSync(path)
  }
  const sorted = waits.toSorted((a, b) => a - b)
  return {
    p50Us: spread(waits)?.median ?? Number.NaN,
    p99Us: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
  }
}

function withFile(folder: string, work: (fd: number) => number): number {
  const path = join(folder, 'bare-write')
  const fd = openSync(path, 'w')
  try {
    return work(fd)
  } finally {
    closeSync(fd)
    rmSync(path)
  }
}
