// Bodies that administer: parsed, checked against their schema, refused with one sentence.
import { readJson } from './body.ts'
import type { Door } from './door.ts'
import { HttpError } from './errors.ts'
import type { BODIES, Body } from './schemas.ts'

/** A request's JSON body, checked. Throws 400 when it is not JSON, 415 for other types, 422 for another shape. */
export async function readChecked<Name extends keyof typeof BODIES>(
  door: Door,
  request: Request,
  name: Name,
): Promise<Body<Name>> {
  const body = await readJson(door, request)
  const { checkBody } = await import('./schemas.ts')
  const checked = checkBody(name, body)
  if ('problem' in checked) throw new HttpError(422, checked.problem)
  return checked.content
}
