/** The routes of operations. A key sees those whose topics it covers. */
import { listOperations as listRoute } from '@sekali/api/operations'
import { allowsPattern, allowsTopic, type Grant } from '@sekali/core/access'
import { parsePattern } from '@sekali/core/pattern'
import type { Store } from '@sekali/store/connect'
import { findLetter } from '@sekali/store/letters'
import { cancelOperation, findOperation, listOperations, type Operation } from '@sekali/store/operations'
import type { Context } from 'hono'
import { endedBearer } from '../access/bearer.ts'
import { byOf } from '../access/by.ts'
import { forbidden, seesAll } from '../access/may.ts'
import { grantOf } from '../access/principals.ts'
import { parseParameters } from '../http/parameters.ts'
import { problem } from '../http/problem.ts'
import { reply, toResponse } from '../http/reply.ts'
import type { Handler } from '../http/router.ts'
import type { LetterDeps } from './deps.ts'
import { shownOperation } from './shown.ts'

/** GET /operations: a page, newest first. */
export function listAll({ store }: LetterDeps): Handler {
  return async (c) => {
    const query = new URL(c.req.url).searchParams
    const { values, issues } = parseParameters(query, listRoute.request.query)
    if (values === undefined || issues.length > 0) return problem('invalid_parameters', { errors: issues })
    const { limit, before } = values
    const operations = await listOperations(store, { before, limit: limit + 1 })
    const page = operations.slice(0, limit)
    const next = operations.length > limit ? page.at(-1)?.id : undefined
    const grant = grantOf(c.env?.incoming)
    const isShown = await Promise.all(page.map((one) => covers(store, grant, one)))
    return reply(200, JSON.stringify(page.filter((_, at) => isShown[at]).map(shownOperation)), {
      'Content-Type': 'application/json',
      ...(next !== undefined && { Link: `<?limit=${limit}&before=${next}>; rel="next"` }),
    })
  }
}

/** GET /operations/{id}. */
export function showOne(deps: LetterDeps): Handler {
  return async (c) => {
    const operation = await allowedOperation(deps, c)
    return operation instanceof Response ? operation : reply(200, JSON.stringify(shownOperation(operation)))
  }
}

/** POST /operations/{id}/cancel. Safe to repeat. */
export function cancel(deps: LetterDeps): Handler {
  return async (c) => {
    const operation = await allowedOperation(deps, c)
    if (operation instanceof Response) return operation
    const outcome = await cancelOperation(deps.store, operation.id, byOf(c.env.incoming, deps.clients))
    if (outcome === 'actor_ended') return toResponse(endedBearer())
    if (outcome !== 'cancelled') return problem(outcome === 'over' ? 'operation_over' : 'unknown_operation')
    const now = await findOperation(deps.store, operation.id)
    return reply(200, JSON.stringify(shownOperation(now ?? operation)))
  }
}

/** An operation of one letter that began before its topic was kept with it is of that letter's topic. */
async function covers(store: Store, grant: Grant, { filter: { topic, id } }: Operation): Promise<boolean> {
  if (topic !== undefined || id === undefined || seesAll(grant))
    return allowsPattern(grant, parsePattern(topic ?? '>'))
  const letter = await findLetter(store, { kind: 'entry', number: id })
  return letter !== undefined && allowsTopic(grant, letter.topic)
}

async function allowedOperation({ store }: LetterDeps, c: Context): Promise<Operation | Response> {
  const grant = grantOf(c.env?.incoming)
  const text = c.req.param('id') ?? ''
  const operation = /^[1-9]\d{0,14}$/.test(text) ? await findOperation(store, Number(text)) : undefined
  if (operation === undefined)
    return seesAll(grant) ? problem('unknown_operation') : toResponse(forbidden(grant))
  return (await covers(store, grant, operation)) ? operation : toResponse(forbidden(grant))
}
