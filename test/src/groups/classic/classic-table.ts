// Rows of the classic protocol: state, request, answer, next state, what the log is told.
import { expect, test } from 'vitest'
import { Scene, type SceneState } from './classic-scene.ts'
import { type Asked, protocol } from './classic-shard.ts'

/** A request, and what becomes of it. */
export interface Row {
  readonly request: string
  readonly ask: (scene: Scene) => Asked<unknown>
  readonly answer: string
  readonly next: string
  readonly records?: readonly string[]
}

/** The protocols of a member that reads another topic. */
export const changed = [protocol('range', 'elsewhere'), protocol('sticky')]
/** The answer to a client that is told its id. */
export const pending = 'MEMBER_ID_REQUIRED for new'

/** Tests every row in this state. */
export function table(state: SceneState, rows: readonly Row[]): void {
  const named = rows.map((row) => [row.request, row.answer, row] as const)
  test.each(named)(`A group in ${state}, asked to %s, answers %s`, async (_, __, row) => {
    const scene = await Scene.at(state)
    const answer = await scene.tell(row.ask(scene))
    expect({ answer, next: scene.state, records: scene.records }).toEqual({
      answer: row.answer,
      next: row.next,
      records: row.records ?? [],
    })
  })
}

/** Refused whatever the state of a group that has members. */
export function strangers(next: string): readonly Row[] {
  const unknown = 'UNKNOWN_MEMBER_ID'
  return [
    {
      request: 'join with an id that nobody has',
      ask: (s) => s.join('X', { memberId: 'x' }),
      answer: `${unknown} for x`,
      next,
    },
    {
      request: 'join with another protocol type',
      ask: (s) => s.join('N', { memberId: '', protocolType: 'connect' }),
      answer: 'INCONSISTENT_GROUP_PROTOCOL',
      next,
    },
    {
      request: 'join with a protocol that not all know',
      ask: (s) => s.join('N', { memberId: '', protocols: [protocol('unheard-of')] }),
      answer: 'INCONSISTENT_GROUP_PROTOCOL',
      next,
    },
    {
      request: 'join as a member with the instance of another',
      ask: (s) => s.join('L', { groupInstanceId: 's' }),
      answer: 'FENCED_INSTANCE_ID for L',
      next,
    },
    {
      request: 'join as a member with an instance that is not known',
      ask: (s) => s.join('L', { groupInstanceId: 'x' }),
      answer: `${unknown} for L`,
      next,
    },
    { request: 'sync a stranger', ask: (s) => s.sync('x'), answer: unknown, next },
    {
      request: 'sync the instance of another',
      ask: (s) => s.sync('L', { groupInstanceId: 's' }),
      answer: 'FENCED_INSTANCE_ID',
      next,
    },
    {
      request: 'sync another generation',
      ask: (s) => s.sync('L', { generationId: 7 }),
      answer: 'ILLEGAL_GENERATION',
      next,
    },
    {
      request: 'take the heartbeat of a stranger',
      ask: (s) => s.heartbeat('x'),
      answer: unknown,
      next,
    },
    {
      request: 'take the heartbeat of the instance of another',
      ask: (s) => s.heartbeat('L', { groupInstanceId: 's' }),
      answer: 'FENCED_INSTANCE_ID',
      next,
    },
    {
      request: 'take the heartbeat of another generation',
      ask: (s) => s.heartbeat('L', { generationId: 0 }),
      answer: 'ILLEGAL_GENERATION',
      next,
    },
    {
      request: 'let strangers leave',
      ask: (s) =>
        s.shard.leave(
          { memberId: 'x' },
          { groupInstanceId: 'x' },
          {},
          { memberId: s.id('L'), groupInstanceId: 's' },
        ),
      answer: `${unknown} ${unknown} ${unknown} FENCED_INSTANCE_ID`,
      next,
    },
  ]
}
