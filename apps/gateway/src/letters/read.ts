import type { letterStates } from '@sekali/api/letter'
import { listLetters as listRoute } from '@sekali/api/letters'
import type { Grant } from '@sekali/core/access'
import { isSameJson } from '@sekali/core/canonical-json'
import {
  type LetterKind,
  type LettersCursor,
  lettersCursorText,
  parseLetterId,
  parseLettersCursor,
} from '@sekali/core/letter'
import { parsePattern, type TopicPattern } from '@sekali/core/pattern'
import type { Store } from '@sekali/store/connect'
import { deadReasons, listDead } from '@sekali/store/dead-deliveries'
import { findLetter, type Letter, listLetters, readConflict, readFields } from '@sekali/store/letters'
import type { DeadDelivery } from '@sekali/store/subscription-types'
import type { Context } from 'hono'
import { forbidden, refusalOfPattern, refusalOfTopic, seesAll } from '../access/may.ts'
import { grantOf } from '../access/principals.ts'
import { parseParameters } from '../http/parameters.ts'
import { problem } from '../http/problem.ts'
import { reply, toResponse } from '../http/reply.ts'
import type { Handler } from '../http/router.ts'
import { contentMembers, eventJson, eventOf } from './content.ts'
import { coveredSubscriptions, deliveryMembers, findAllowedDead, shownDelivery } from './deliveries.ts'
import type { LetterDeps } from './deps.ts'
import { shownLetter } from './shown.ts'

/** GET /dead-letters: a page of all kinds, newest first. */
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
    const { limit } = values
    const lists = await Promise.all([
      storedLetters(store, grant, { ...values, topic, after, limit: limit + 1 }),
      deliveries(store, grant, { ...values, topic, after, limit: limit + 1 }),
    ])
    const letters = merge(lists, limit + 1)
    const page = letters.slice(0, limit)
    const next = new URLSearchParams(query)
    next.set('after', lettersCursorText(behind(page, after)))
    return reply(200, JSON.stringify(page), {
      'Content-Type': 'application/json',
      ...(letters.length > limit && { Link: `<?${next}>; rel="next"` }),
    })
  }
}

/** Of a subscription that a key covers it covers all topics. */
const everyTopic = parsePattern('>')

type Shown = ReturnType<typeof shownLetter> | ReturnType<typeof shownDelivery>

interface Wanted {
  readonly kind?: LetterKind | undefined
  readonly subscription?: string | undefined
  readonly topic: TopicPattern | undefined
  readonly reason?: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly state?: (typeof letterStates)[number] | undefined
  readonly after: LettersCursor
  readonly limit: number
}

async function storedLetters(
  store: Store,
  { topics: within }: Grant,
  { kind, subscription, ...page }: Wanted,
): Promise<Shown[]> {
  if (kind === 'delivery' || subscription !== undefined) return []
  return (await listLetters(store, { ...page, kind, within })).map(shownLetter)
}

async function deliveries(
  store: Store,
  grant: Grant,
  { kind = 'delivery', reason, state, after, ...page }: Wanted,
): Promise<Shown[]> {
  const known = deadReasons.find((one) => one === reason)
  if (kind !== 'delivery' || known !== reason || state === 'published_as') return []
  const among = await coveredSubscriptions(store, grant)
  const within = [everyTopic]
  const dead = await listDead(store, { ...page, cause: known, state, within, among, before: after.delivery })
  return dead.map(shownDelivery)
}

/** Takes the newest of the heads, so that each list keeps its own order. */
function merge([some, others]: readonly [readonly Shown[], readonly Shown[]], limit: number): Shown[] {
  const merged: Shown[] = []
  let at = 0
  while (merged.length < limit && merged.length < some.length + others.length) {
    const [one, other] = [some[at], others[merged.length - at]]
    const takesOne = other === undefined || (one !== undefined && one.stored_at >= other.stored_at)
    merged.push((takesOne ? one : other) as Shown)
    if (takesOne) at += 1
  }
  return merged
}

/** The place behind a page. */
function behind(page: readonly Shown[], after: LettersCursor): LettersCursor {
  const cursor: Partial<Record<LetterKind, number>> = { ...after }
  for (const { id } of page) {
    const { kind, number } = parseLetterId(id) ?? {}
    if (kind !== undefined && number !== undefined) cursor[kind] = number
  }
  return cursor
}

/** GET /dead-letters/{id}: with its content. */
export function show(deps: Pick<LetterDeps, 'store'>): Handler {
  return async (c) => {
    const dead = await allowedDelivery(deps, c)
    if (dead instanceof Response) return dead
    if (dead !== undefined) return shown(shownDelivery(dead), await deliveryMembers(deps.store, dead))
    const letter = await allowedLetter(deps, c)
    if (letter instanceof Response) return letter
    const members =
      letter.kind === 'entry' ? await entryMembers(deps, letter) : await conflictMembers(deps, letter)
    return shown(shownLetter(letter), members)
  }
}

const shown = (letter: Shown, members: readonly string[]): Response =>
  reply(200, `${[JSON.stringify(letter).slice(0, -1), ...members].join(',')}}`)

/** The delivery of the path, if it names one and the key may see it; otherwise the answer. Undefined: it names none. */
export async function allowedDelivery(
  { store }: Pick<LetterDeps, 'store'>,
  c: Context,
): Promise<DeadDelivery | Response | undefined> {
  const id = parseLetterId(c.req.param('id') ?? '')
  if (id?.kind !== 'delivery') return undefined
  const grant = grantOf(c.env?.incoming)
  return (await findAllowedDead(store, grant, id.number)) ?? unknownLetter(grant)
}

const unknownLetter = (grant: Grant): Response =>
  seesAll(grant) ? problem('unknown_letter') : toResponse(forbidden(grant))

/** The letter of the path, if the key may see it; otherwise the answer, which is alike whether there is one or not. */
export async function allowedLetter(
  { store }: Pick<LetterDeps, 'store'>,
  c: Context,
): Promise<Letter | Response> {
  const grant = grantOf(c.env?.incoming)
  const { kind, number = 0 } = parseLetterId(c.req.param('id') ?? '') ?? {}
  const isStored = kind !== undefined && kind !== 'delivery'
  const letter = isStored ? await findLetter(store, { kind, number }) : undefined
  if (letter === undefined) return unknownLetter(grant)
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
