// A process that holds most of the machine's memory while brokers are measured: `node ballast.ts MIB` touches so much, and waits.
//
// The host of a virtual machine may take back what its guest has freed; each page that is used again then costs the guest a fault of 5 to
// 20 microseconds, several times what writing to it costs, and as chance will have it. Where little is free, pages come back
// into use before the host has them.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { within } from './child.ts'
import { touchedPages } from './disk.ts'
import { memoryOf, systemMib } from './proc.ts'

const CHUNK_MIB = 256
/** A page may take 20 µs: 24 GiB two minutes. */
const DEADLINE_MS = 300_000

/** Memory that is held. */
export interface Ballast {
  /** Throws when not all of it is held any more: what was measured says nothing then. */
  check(): void
  letGo(): void
}

/** Leaves `freeGib` of the machine's memory to everybody else. */
export async function holdMemory(freeGib: number): Promise<Ballast> {
  const mib = Math.floor((availableGib() - freeGib) * 1024)
  if (!(mib > 0)) throw new Error(`Less than ${freeGib} GiB of memory are available`)
  const script = fileURLToPath(import.meta.url)
  const child = spawn(process.execPath, [script, String(mib)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close').then(() => Promise.reject(new Error('It could not be held')))
  await within(
    DEADLINE_MS,
    `Holding ${mib} MiB of memory`,
    Promise.race([once(child.stdout, 'data'), ended]),
  )
  ended.catch(() => undefined)
  return {
    check() {
      const heldMib = Math.floor(memoryOf(child.pid ?? 0).rssMib)
      if (heldMib < mib) throw new Error(`Only ${heldMib} of ${mib} MiB of memory are still held`)
    },
    letGo: () => void child.kill('SIGKILL'),
  }
}

/** What the system says can be had without swapping. */
export const availableGib = (): number => systemMib('MemAvailable') / 1024

function hold(mib: number): void {
  const held: Uint8Array[] = []
  for (let left = mib; left > 0; left -= CHUNK_MIB) {
    held.push(touchedPages(Math.min(left, CHUNK_MIB)))
  }
  console.log(`${held.length}`)
  // Goes when whoever started it does. That it still asks for `held` then keeps a collector from letting go of it.
  process.stdin.on('close', () => process.exit(held.length > 0 ? 0 : 1)).resume()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) hold(Number(process.argv[2]))
