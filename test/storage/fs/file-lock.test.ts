// The lock: within this process, against a second one, after a kill -9.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { loadLibc } from '#storage/fs/libc.ts'
import { createNodeFiles } from '#storage/fs/node-files.ts'

const root = mkdtempSync(`${tmpdir()}/millrace-lock-`)
const children: ChildProcess[] = []
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(root, { recursive: true })
})
let count = 0
const freshPath = () => `${root}/${count++}.lock`
const isLockedWith = (useLibc: boolean, path: string) => createNodeFiles({ useLibc }).isLocked(path)
const lockWith = (useLibc: boolean, path: string) => createNodeFiles({ useLibc }).lock(path)

/** Starts a second process of this runtime that tries to hold the lock; says whether it does. */
async function hold(
  path: string,
  useLibc: boolean,
): Promise<{ child: ChildProcess; said: string }> {
  const script = fileURLToPath(new URL('./lock-holder.ts', import.meta.url))
  const permissions = 'Deno' in globalThis ? ['run', '-A', '--quiet'] : []
  const child = spawn(process.execPath, [...permissions, script, path, `${useLibc}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  children.push(child)
  const [said] = await once(child.stdout, 'data')
  return { child, said: `${said}`.trim() }
}

const combinations = [
  { ours: true, theirs: true },
  { ours: true, theirs: false },
  { ours: false, theirs: true },
  { ours: false, theirs: false },
]

test.each(combinations)(
  'Files.lock() with FFI $ours stops a second process with FFI $theirs until released',
  async ({ ours, theirs }) => {
    const path = freshPath()
    const lock = lockWith(ours, path)
    expect(lock?.isSeenByKafka).toBe(ours && process.platform === 'linux')
    expect([isLockedWith(ours, path), isLockedWith(theirs, path)]).toEqual([true, true])
    expect((await hold(path, theirs)).said).toBe('refused')
    lock?.release()
    expect([isLockedWith(ours, path), isLockedWith(theirs, path)]).toEqual([false, false])
    const { child, said } = await hold(path, theirs)
    expect(said).toBe('held')
    expect(isLockedWith(ours, path)).toBe(true)
    expect(lockWith(ours, path)).toBeUndefined()
    child.stdin?.end()
    await once(child, 'exit')
    expect(lockWith(ours, path)).toBeDefined()
  },
  20_000,
)

test.each(combinations)(
  'Files.lock() with FFI $ours is to be had after kill -9 of a holder with FFI $theirs',
  async ({ ours, theirs }) => {
    const path = freshPath()
    const { child, said } = await hold(path, theirs)
    expect(said).toBe('held')
    expect(lockWith(ours, path)).toBeUndefined()
    child.kill('SIGKILL')
    await once(child, 'exit')
    const lock = lockWith(ours, path)
    expect(lock).toBeDefined()
    lock?.release()
  },
  20_000,
)

test.each([
  { why: 'of this pid from an earlier life', line: `${process.pid} 1 another-boot\n` },
  { why: 'of a pid that is gone', line: '4194304 5 another-boot\n' },
  { why: 'of a living process that started at another time', line: '1 1 another-boot\n' },
  { why: 'of this pid, without a start time', line: `${process.pid}  \n` },
  { why: 'that is empty', line: '' },
  { why: 'that is garbage', line: 'hello' },
])('Files.lock() takes over a pid file $why', ({ line }) => {
  const path = freshPath()
  writeFileSync(`${path}.pid`, line)
  const lock = lockWith(false, path)
  expect(lock).toBeDefined()
  lock?.release()
  expect(existsSync(`${path}.pid`)).toBe(false)
})

test.skipIf(!loadLibc())(
  'Files.lock() is an fcntl lock, which one who knows no pid file meets too',
  () => {
    const libc = loadLibc()
    if (libc === undefined) return
    const path = freshPath()
    const lock = lockWith(true, path)
    const fd = libc.open(path, 'create')
    expect([libc.lockExclusively(fd), libc.errorName()]).toEqual([-1, 'EAGAIN'])
    expect(libc.isLocked(fd)).toBe(true)
    lock?.release()
    expect(libc.isLocked(fd)).toBe(false)
    expect(libc.lockExclusively(fd)).toBe(0)
    expect(lockWith(true, path)).toBeUndefined()
    libc.close(fd)
    expect(lockWith(true, path)).toBeDefined()
  },
)

test('Files.isLocked() makes no file, and is false where there is none', () => {
  const path = freshPath()
  expect(isLockedWith(true, path)).toBe(false)
  expect(existsSync(path)).toBe(false)
})

test('Files.lock() believes a pid file of a living process that could not read its start time', () => {
  const path = freshPath()
  writeFileSync(`${path}.pid`, `${process.ppid}  \n`)
  expect(lockWith(false, path)).toBeUndefined()
})

test('Files.lock() leaves nothing but the lock file itself behind', () => {
  const directory = `${root}/alone`
  createNodeFiles().makeDirectory(directory)
  const lock = lockWith(true, `${directory}/.lock`)
  expect(lockWith(true, `${directory}/.lock`)).toBeUndefined()
  expect(lockWith(false, `${directory}/.lock`)).toBeUndefined()
  lock?.release()
  expect(readdirSync(directory).filter((name) => name !== '.lock')).toEqual([])
})
