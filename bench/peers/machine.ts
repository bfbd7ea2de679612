// The machine that a result was measured on.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { runtimeCommand, runtimes } from '../../test/process/broker-process.ts'
import type { Machine } from './result.ts'

/** Describes this machine, and the file system under a folder. */
export function describeMachine(folder: string): Machine {
  const versions: Record<string, string> = { kafka: kafkaVersion() }
  for (const name of runtimes) {
    const [program, ...flags] = runtimeCommand(name) ?? []
    if (program === undefined) continue
    const plain = flags.filter((flag) => flag === '--bun')
    add(versions, name, program, ...plain, '--version')
  }
  add(versions, 'java', 'java', '-version')
  add(versions, 'go', 'go', 'version')
  add(versions, 'kcat', 'kcat', '-V')
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: `Linux ${release()}`,
    fileSystem: fileSystemOf(folder),
    versions,
    loadBefore: Number((loadavg()[0] ?? 0).toFixed(1)),
  }
}

function add(
  versions: Record<string, string>,
  name: string,
  program: string,
  ...argv: string[]
): void {
  const { stdout, stderr, error } = spawnSync(program, argv, { encoding: 'utf8' })
  const version = /\d+\.\d+(?:\.\d+)?/.exec(`${stdout}${stderr}`)?.[0]
  if (error === undefined && version !== undefined) versions[name] = version
}

function fileSystemOf(folder: string): string {
  const { stdout } = spawnSync('stat', ['-f', '-c', '%T', folder], { encoding: 'utf8' })
  return stdout?.trim().replace('ext2/ext3', 'ext4') || 'unknown'
}

function kafkaVersion(): string {
  const pom = readFileSync(new URL('../../test/kafka/pom.xml', import.meta.url), 'utf8')
  return /<kafka\.version>([^<]+)</.exec(pom)?.[1] ?? 'unknown'
}
