import { listLetters as listRoute } from '@sekali/api/letters'
import { isSameJson } from '@sekali/core/canonical-json'
import {
  type LetterId,
  type LettersCursor,
  lettersCursorText,
  parseLetterId,
  parseLettersCursor,
} from '@sekali/core/letter'
import { parsePattern } from '@sekali/core/pattern'
import { findLetter, type Letter, listLetters, readConflict, readFields } from '@sekali/store/letters'
import type { Context } from 'hono'
import { forbidden, refusalOfPattern, refusalOfTopic, seesAll } from '../access/may.ts'
import { grantOf } from '../access/principals.ts'
import { parseParameters } from '../http/parameters.ts'
import { problem } from '../http/problem.ts'
import { reply, toResponse } from '../http/reply.ts'
import type { Handler } from '../http/router.ts'
import { contentMembers, eventJson, eventOf } from './content.ts'
import type { LetterDeps } from './deps.ts'
import { shownLetter } from './shown.ts'

/** GET /dead-letters: a page of both kinds, newest first. */
export function list({ store }: Pick<LetterDeps, 'store'>): Handler {
  return async (c) => {
    const query = new URL(c.req.url).searchParams
    const { values, issues } = parseParameters(query, listRoute.request.query)
    if (values === undefined || issues.length > 0) return problem('invalid_parameters', { errors: issues })
    const grant = grantOf(c.env?.incoming)
    const topic = values.topic === undefined ? undefined : parsePattern(values.topic)
    const refused = topic && refusalOfPattern(grant, topic)
    if (refused !== undefined) return toResponse(refused)
    const after = parseLettersCursor(values.after ?? '') ?? {}
    const { kind, reason, from, to, state, limit } = values
    const filter = { kind, topic, reason, from, to, state }
    const letters = await listLetters(store, { ...filter, within: grant.topics, after, limit: limit + 1 })
    const page = letters.slice(0, limit)
    const next = new URLSearchParams(query)
    next.set('after', lettersCursorText(behind(page, after)))
    return reply(200, JSON.stringify(page.map(shownLetter)), {
      'Content-Type': 'application/json',
      ...(letters.length > limit && { Link: `<?${next}>; rel="next"` }),
    })
  }
}

/** The place behind a page. */
function behind(page: readonly Letter[], after: LettersCursor): LettersCursor {
  const cursor: Partial<Record<Letter['kind'], number>> = { ...after }
  for (const { kind, number } of page) cursor[kind] = number
  return cursor
}

/** GET /dead-letters/{id}: with its content. */
export function show(deps: Pick<LetterDeps, 'store'>): Handler {
  return async (c) => {
    const letter = await allowedLetter(deps, c)
    if (letter instanceof Response) return letter
    const head = JSON.stringify(shownLetter(letter)).slice(0, -1)
    const members =
      letter.kind === 'entry' ? await entryMembers(deps, letter) : await conflictMembers(deps, letter)
    return reply(200, `${[head, ...members].join(',')}}`)
  }
}

/** The letter of the path, if the key may see it; otherwise the answer, which is alike whether there is one or not. */
export async function allowedLetter(
  { store }: Pick<LetterDeps, 'store'>,
  c: Context,
): Promise<Letter | Response> {
  const grant = grantOf(c.env?.incoming)
  const id: LetterId | undefined = parseLetterId(c.req.param('id') ?? '')
  const letter = id && (await findLetter(store, id))
  if (letter === undefined) return seesAll(grant) ? problem('unknown_letter') : toResponse(forbidden(grant))
  const refused = refusalOfTopic(grant, letter.topic)
  return refused === undefined ? letter : toResponse(refused)
}

async function entryMembers({ store }: Pick<LetterDeps, 'store'>, letter: Letter): Promise<string[]> {
  const fields = await readFields(store, letter.number)
  if (fields === null) return []
  const event = eventOf(letter.topic, letter.entryId ?? '', JSON.parse(fields) as string[])
  return [`"fields":${fields}`, ...(event === undefined ? [] : [`"event":${eventJson(event)}`])]
}

async function conflictMembers({ store }: Pick<LetterDeps, 'store'>, { number }: Letter): Promise<string[]> {
  const { received, stored } = await readConflict(store, number)
  return [
    ...(received === null ? [] : [`"received":{${contentMembers(received)}}`]),
    ...(stored === null
      ? []
      : [
          `"stored":{${contentMembers(stored)},"received_at":"${stored.receivedAt}","stored_at":"${stored.storedAt}"}`,
        ]),
    ...(received === null || stored === null
      ? []
      : [
          `"differs":${JSON.stringify((['timestamp', 'source', 'payload'] as const).filter((name) => received[name] !== stored[name]))}`,
          `"same_json":${isSameJson(received.payload, stored.payload)}`,
        ]),
  ]
}
