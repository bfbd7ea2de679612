// Bodies that administer: parsed, checked against their schema, refused with one sentence.
import { lateModule } from '#storage/base/late-modules.ts'
import { parseJson, readJson, readText } from './body.ts'
import type { Door } from './door.ts'
import { HttpError } from './errors.ts'
import type { BODIES, Body } from './schemas.ts'

const schemas = lateModule(() => import('./schemas.ts'))

/** A request's JSON body, checked. Throws 400 when it is not JSON, 415 for other types, 422 for another shape. */
export async function readChecked<Name extends keyof typeof BODIES>(
  door: Door,
  request: Request,
  name: Name,
): Promise<Body<Name>> {
  return await checked(name, await readJson(door, request))
}

/** As `readChecked`, whatever the body calls itself; undefined when there is none. */
export async function readCheckedIfAny<Name extends keyof typeof BODIES>(
  door: Door,
  request: Request,
  name: Name,
): Promise<Body<Name> | undefined> {
  const text = await readText(door, request)
  return text.trim() === '' ? undefined : await checked(name, parseJson(text))
}

async function checked<Name extends keyof typeof BODIES>(
  name: Name,
  body: unknown,
): Promise<Body<Name>> {
  const { checkBody } = await schemas()
  const result = checkBody(name, body)
  if ('problem' in result) throw new HttpError(422, result.problem)
  return result.content
}
