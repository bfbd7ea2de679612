// Kafka's jars: Maven copies them into a git-ignored folder, once for all processes that want them at the same time.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createNodeFiles } from '#storage/fs/node-files.ts'

const pom = fileURLToPath(new URL('./pom.xml', import.meta.url))
const work = fileURLToPath(new URL('../../.work/kafka', import.meta.url))
const library = join(work, 'lib')
const marker = join(library, 'from-pom.xml')
/** How long one looks whether another has fetched them. */
const LOOK_MS = 100

/** The class path of Kafka's jars, which are fetched at the first call. */
export function kafkaClasspath(): string {
  if (!isFetched()) {
    mkdirSync(work, { recursive: true })
    alone(join(work, 'lib.lock'), () => {
      if (!isFetched()) fetchJars()
    })
  }
  return join(library, '*')
}

const isFetched = () =>
  existsSync(marker) && readFileSync(marker, 'utf8') === readFileSync(pom, 'utf8')

function fetchJars(): void {
  rmSync(library, { recursive: true, force: true })
  const argv = ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', '-DincludeScope=runtime']
  const { status, stdout, stderr } = spawnSync('mvn', [...argv, `-DoutputDirectory=${library}`], {
    encoding: 'utf8',
  })
  if (status !== 0)
    throw new Error(`Maven could not resolve Kafka's jars (${status}): ${stdout}${stderr}`)
  writeFileSync(marker, readFileSync(pom))
}

/** Runs `work` while no other process does, which the system notices even when one is killed. */
function alone(path: string, work: () => void): void {
  const files = createNodeFiles()
  let lock = files.lock(path)
  const sleeper = new Int32Array(new SharedArrayBuffer(4))
  while (lock === undefined) {
    Atomics.wait(sleeper, 0, 0, LOOK_MS)
    lock = files.lock(path)
  }
  try {
    work()
  } finally {
    lock.release()
  }
}
