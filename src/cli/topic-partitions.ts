// The partitions of a topic that a command is about.
import { CommandError } from './command-error.ts'
import { type HttpClient, topicPath } from './http-client.ts'

/** The partitions that `--partition` names, all without it. Throws CommandError for one that the topic hasn't. */
export async function partitionsOf(
  client: HttpClient,
  topic: string,
  named: readonly string[] | undefined,
): Promise<readonly number[]> {
  const all = await client.json<readonly { partition: number }[]>(`${topicPath(topic)}/partitions`)
  const wanted = named?.map(Number)
  if (wanted === undefined) return all.map(({ partition }) => partition)
  const missing = wanted.find((one) => !all.some(({ partition }) => partition === one))
  if (missing === undefined) return wanted
  throw new CommandError(`Topic ${topic} has no partition ${missing}`, {
    fix: `It has ${all.length}, counted from 0`,
  })
}
