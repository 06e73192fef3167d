/**
 * POST /dead-letters/redrive with a subscription: its workers get dead deliveries again. As nothing is appended, it is done at
 * once, and is no operation.
 */
import type { Redrive } from '@sekali/api/letter'
import type { Issue } from '@sekali/core/errors'
import { letterIdText, parseLetterId } from '@sekali/core/letter'
import { parsePattern } from '@sekali/core/pattern'
import { deadReasons } from '@sekali/store/dead-deliveries'
import { countDead, type DeadCount, type DeadRedrive, redriveAllDead } from '@sekali/store/redrive-dead'
import type { Context } from 'hono'
import type * as v from 'valibot'
import { endedBearer } from '../access/bearer.ts'
import { byOf } from '../access/by.ts'
import { problem } from '../http/problem.ts'
import { reply, toResponse } from '../http/reply.ts'
import { allowedSubscription } from '../subscriptions/allowed.ts'
import type { LetterDeps } from './deps.ts'

type Body = v.InferOutput<typeof Redrive>

export async function redriveDeliveries(
  { store, clients, subscriptions }: LetterDeps,
  c: Context,
  name: string,
  { filter = {}, dry_run: isDryRun = false, as_of, expect = 0, rate }: Body,
): Promise<Response> {
  const cause = deadReasons.find((one) => one === filter.reason)
  const errors = issuesOf(filter, cause, as_of, rate)
  if (errors.length > 0) return problem('invalid_body', { errors })
  const subscription = await allowedSubscription(subscriptions.known, c, { name })
  if (subscription instanceof Response) return subscription
  const { from, to } = filter
  const topic = filter.topic === undefined ? undefined : parsePattern(filter.topic)
  const wanted: DeadRedrive = { subscription: name, topic, cause, from, to, id: numberOf(filter.id) }
  const asOf = numberOf(as_of)
  const found = await countDead(store, wanted, isDryRun ? undefined : asOf)
  if (isDryRun) return counted(found)
  if (found.matched !== expect) return problem('count_changed', { matched: found.matched })
  const done = await redriveAllDead(store, wanted, asOf ?? 0, byOf(c.env.incoming, clients))
  subscriptions.pulls.onChanged(name)
  return done.ended ? toResponse(endedBearer()) : counted(found, done.redriven)
}

const numberOf = (id: string | undefined) => (id === undefined ? undefined : parseLetterId(id)?.number)

const counted = ({ matched, byReason, asOf }: DeadCount, redriven?: number): Response => {
  const as_of = letterIdText({ kind: 'delivery', number: asOf })
  return reply(200, JSON.stringify({ matched, by_reason: byReason, as_of, redriven }))
}

function issuesOf(
  filter: NonNullable<Body['filter']>,
  cause: string | undefined,
  asOf: string | undefined,
  rate: number | undefined,
): Issue[] {
  const issues: Issue[] = []
  for (const [path, id] of [['filter.id', filter.id] as const, ['as_of', asOf] as const]) {
    if (id === undefined || parseLetterId(id)?.kind === 'delivery') continue
    issues.push({ path, code: 'invalid_letter', message: 'must be the id of a delivery, d-…' })
  }
  if (filter.reason !== cause) {
    const message = `of a delivery must be ${deadReasons.join(' or ')}`
    issues.push({ path: 'filter.reason', code: 'invalid_reason', message })
  }
  if (rate !== undefined) {
    issues.push({ path: 'rate', code: 'invalid_rate', message: 'is not for deliveries: leave it out' })
  }
  return issues
}
