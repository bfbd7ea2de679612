// Clients in other languages, for the long run: their packages come from the registries of Go and Python at the first run.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Client, parseAnswers, runProgram } from './client.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))
const work = join(folder, '../../.work')

const isMissing = (program: string, ...argv: string[]) => {
  const { error, status } = spawnSync(program, argv)
  return error !== undefined || status !== 0
}

/** Programs of ours on a Go module, built into the git-ignored work folder. */
const go = (name: string, title: string): Client => ({
  name,
  title,
  absence: () => (isMissing('go', 'version') ? 'no Go on this machine' : undefined),
  run: async ({ bootstrap, base }) => {
    const [module, part] = [
      name.replace(/-groups$/, ''),
      name.endsWith('-groups') ? ['groups'] : [],
    ]
    const program = join(work, `${module}-client`)
    const cwd = join(folder, module)
    await runProgram('go', ['build', '-o', program, '.'], { cwd })
    return parseAnswers(await runProgram(program, [bootstrap, String(base), ...part]))
  },
})

/** Programs of ours on Python packages, in a virtual environment in the work folder. */
const python = (name: string, title: string): Client => ({
  name,
  title,
  absence: () =>
    isMissing('python3', '-m', 'venv', '--help') ? 'no Python with venv here' : undefined,
  run: async ({ bootstrap, base }) => {
    const program = pythonWithPackages()
    const part = name.endsWith('-groups') ? 'groups' : 'client'
    const script = `${name.replace(/-groups$/, '').replace('-', '_')}_${part}.py`
    const argv = [join(folder, 'python', script), bootstrap]
    return parseAnswers(await runProgram(program, [...argv, String(base)]))
  },
})

/** The clients of the long run. */
export const moreClients: readonly Client[] = [
  go('franz-go', 'franz-go 1.22.2'),
  go('sarama', 'sarama 1.61.1'),
  python('aiokafka', 'aiokafka 0.14.0'),
  python('confluent-kafka', 'confluent-kafka 2.16.1 (librdkafka 2.16.1)'),
  go('franz-go-groups', 'franz-go 1.22.2'),
  go('sarama-groups', 'sarama 1.61.1'),
  python('aiokafka-groups', 'aiokafka 0.14.0'),
  python('confluent-kafka-groups', 'confluent-kafka 2.16.1 (librdkafka 2.16.1)'),
]

/** The Python of an environment that has what requirements.txt names. */
function pythonWithPackages(): string {
  const environment = join(work, 'python')
  const program = join(environment, 'bin/python')
  const wanted = readFileSync(join(folder, 'python/requirements.txt'), 'utf8')
  const marker = join(environment, 'requirements.txt')
  if (existsSync(marker) && readFileSync(marker, 'utf8') === wanted) return program
  mkdirSync(work, { recursive: true })
  const requirements = join(folder, 'python/requirements.txt')
  for (const [command, ...argv] of [
    ['python3', '-m', 'venv', environment],
    [program, '-m', 'pip', 'install', '--quiet', '-r', requirements],
  ] as const) {
    const { status, stderr } = spawnSync(command, argv, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`${command} ${argv.join(' ')} failed: ${stderr}`)
  }
  writeFileSync(marker, wanted)
  return program
}
