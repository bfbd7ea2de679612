// A disk whose power can be cut: ext4 in a file, mounted through a loop device, shut down under whoever uses it.
import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import koffi from 'koffi'

/** `_IOR('X', 125, __u32)`; its argument 2 says: without flushing the journal. */
const FS_IOC_SHUTDOWN = 0x8004587d
const WITHOUT_LOG_FLUSH = 2

/** Everything on it that was not synced is gone after `losePower`. Needs Linux and root. */
export class LossyDisk {
  /** Where it is mounted. */
  readonly folder: string
  readonly #image: string
  #isMounted = false
  #isLost = false

  /** Makes the disk and mounts it at `path`. Throws what went wrong. */
  constructor(path: string) {
    this.folder = path
    this.#image = `${path}.img`
    mkdirSync(path, { recursive: true })
    run('truncate', '-s', '200M', this.#image)
    run('mkfs.ext4', '-qF', this.#image)
    this.#mount()
  }

  /** Why there can be no such disk on this machine; undefined when there can. */
  static absence(scratch: string): string | undefined {
    if (process.platform !== 'linux') return 'not Linux'
    if (process.getuid?.() !== 0) return 'not root'
    try {
      const disk = new LossyDisk(join(scratch, 'trial'))
      disk.losePower()
      disk.unmount()
      return undefined
    } catch (error) {
      return `no loop device to shut down: ${String(error).split('\n')[0]}`
    }
  }

  /** Whether the power is gone. */
  get isLost(): boolean {
    return this.#isLost
  }

  /** Cuts the power. From now on every call on the disk fails with EIO. */
  losePower(): void {
    const ioctl = koffi.load('libc.so.6').func('int ioctl(int, unsigned long, void *)')
    const folder = openSync(this.folder, 'r')
    this.#isLost = true
    // At the last moment: a sync of something else may take it along.
    writeFileSync(join(this.folder, 'probe'), 'never synced')
    const result: unknown = ioctl(folder, FS_IOC_SHUTDOWN, Uint32Array.of(WITHOUT_LOG_FLUSH))
    closeSync(folder)
    if (result !== 0) throw new Error(`FS_IOC_SHUTDOWN answered ${result}`)
  }

  /** Mounts the disk again; true when bytes that nobody synced were there no more, as they must be. */
  restorePower(): boolean {
    this.unmount()
    this.#mount()
    this.#isLost = false
    const probe = join(this.folder, 'probe')
    return !existsSync(probe) || readFileSync(probe).length === 0
  }

  /** Unmounts it, if it is mounted. */
  unmount(): void {
    if (!this.#isMounted) return
    run('umount', this.folder)
    this.#isMounted = false
  }

  #mount(): void {
    run('mount', '-o', 'loop', this.#image, this.folder)
    this.#isMounted = true
  }
}

function run(command: string, ...argv: string[]): void {
  const { status, stderr } = spawnSync(command, argv, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${argv.join(' ')} ended with ${status}: ${stderr}`)
}
