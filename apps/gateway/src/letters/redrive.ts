/** POST /dead-letters/redrive: counts first, and then begins what a runner goes on with. */
import { Redrive } from '@sekali/api/letter'
import type { Issue } from '@sekali/core/errors'
import { parseLetterId } from '@sekali/core/letter'
import { parsePattern } from '@sekali/core/pattern'
import { findLetter } from '@sekali/store/letters'
import { findOperation, type RedriveFilter } from '@sekali/store/operations'
import { countRedrivable, startRedrive } from '@sekali/store/redrive'
import type { Context } from 'hono'
import type * as v from 'valibot'
import { endedBearer } from '../access/bearer.ts'
import { byOf } from '../access/by.ts'
import { forbidden, refusalOfPattern, refusalOfTopic, seesAll } from '../access/may.ts'
import { grantOf } from '../access/principals.ts'
import { parseBody } from '../http/parse-body.ts'
import { problem } from '../http/problem.ts'
import { reply, toResponse } from '../http/reply.ts'
import type { Handler } from '../http/router.ts'
import type { LetterDeps } from './deps.ts'
import { redriveDeliveries } from './redrive-deliveries.ts'
import { entryIdText, shownOperation } from './shown.ts'

const rateDefault = 50

export function redrive(deps: LetterDeps): Handler {
  return async (c) => {
    const body = parseBody(c.env.incoming, Redrive)
    if ('refused' in body) return toResponse(body.refused)
    const { filter = {}, dry_run = false } = body.value
    const missing = missingIn(body.value)
    if (filter.subscription !== undefined && missing.length === 0) {
      return await redriveDeliveries(deps, c, filter.subscription, body.value)
    }
    const errors = [...issuesOf(body.value), ...missing]
    if (errors.length > 0) return problem('invalid_body', { errors })
    const { topic, reason, from, to } = filter
    const wanted = await allowedFilter(deps, c, { topic, reason, from, to, id: numberOf(filter.id) })
    if (wanted instanceof Response) return wanted
    return dry_run ? await count(deps, wanted) : await start(deps, c, wanted, body.value)
  }
}

const numberOf = (id: string | undefined) => (id === undefined ? undefined : parseLetterId(id)?.number)

/** What the schema does not say: without a subscription only entries can be redriven. */
function issuesOf({ filter, as_of }: v.InferOutput<typeof Redrive>): Issue[] {
  const issues: Issue[] = []
  if (filter?.subscription !== undefined) return issues
  for (const [path, id] of [['filter.id', filter?.id] as const, ['as_of', as_of] as const]) {
    if (id === undefined || parseLetterId(id)?.kind === 'entry') continue
    const message =
      'must be the id of an entry, e-…: a conflict cannot be redriven, publish it as another event; a delivery needs its subscription in the filter'
    issues.push({ path, code: 'invalid_letter', message })
  }
  return issues
}

/** Only what was counted can be redriven. */
function missingIn({ dry_run = false, as_of, expect }: v.InferOutput<typeof Redrive>): Issue[] {
  const issues: Issue[] = []
  for (const [path, value] of dry_run
    ? []
    : ([
        ['as_of', as_of],
        ['expect', expect],
      ] as const)) {
    if (value !== undefined) continue
    issues.push({ path, code: 'missing_field', message: 'is required: ask with dry_run first, which counts' })
  }
  return issues
}

/**
 * The filter, if the key covers whatever it can match; otherwise the answer. With an id alone the topic of its letter is
 * enough, and stays with the operation: whoever may begin it so may see it. No answer tells whether there is a letter of
 * other topics.
 */
async function allowedFilter(
  { store }: LetterDeps,
  c: Context,
  filter: RedriveFilter,
): Promise<RedriveFilter | Response> {
  const grant = grantOf(c.env?.incoming)
  if (filter.topic !== undefined || filter.id === undefined) {
    const refused = refusalOfPattern(
      grant,
      filter.topic === undefined ? undefined : parsePattern(filter.topic),
    )
    return refused === undefined ? filter : toResponse(refused)
  }
  const letter = await findLetter(store, { kind: 'entry', number: filter.id })
  if (letter === undefined) return seesAll(grant) ? filter : toResponse(forbidden(grant))
  const refused = refusalOfTopic(grant, letter.topic)
  return refused === undefined ? { ...filter, topic: letter.topic } : toResponse(refused)
}

async function count({ store }: LetterDeps, filter: RedriveFilter): Promise<Response> {
  const { matched, byReason, asOf } = await countRedrivable(store, filter)
  return reply(200, JSON.stringify({ matched, by_reason: byReason, as_of: entryIdText(asOf) }))
}

async function start(
  { store, clients, runner }: LetterDeps,
  c: Context,
  filter: RedriveFilter,
  { as_of, expect = 0, rate = rateDefault }: v.InferOutput<typeof Redrive>,
): Promise<Response> {
  const by = byOf(c.env.incoming, clients)
  const started = await startRedrive(store, { filter, asOf: numberOf(as_of) ?? 0, expect, rate }, by)
  if (started.outcome === 'actor_ended') return toResponse(endedBearer())
  if (started.outcome === 'too_many') return problem('too_many_operations')
  if (started.outcome === 'count_changed') return problem('count_changed', { matched: started.matched })
  runner.kick()
  const operation = await findOperation(store, started.id)
  if (operation === undefined) throw new Error('an operation that has begun is gone')
  return reply(202, JSON.stringify(shownOperation(operation)), {
    'Content-Type': 'application/json',
    Location: `../operations/${started.id}`, // relative, for a proxy may have put a prefix before the path
  })
}
