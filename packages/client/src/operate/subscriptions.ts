// Calls about subscriptions. Workers pull and settle: see work.
import { checkQuery, requireObject, requireText } from '../arguments.ts'
import { type Connection, call, jsonOf, nextQuery, search } from '../connection/connection.ts'
import type { Answer } from '../connection/request.ts'
import type { CallOptions } from '../connection/retry.ts'
import { drop } from '../drop.ts'
import { jsonBody } from './letters.ts'
import type { NewSubscription, Sought, Subscription, SubscriptionsQuery } from './subscription.ts'

/** All that the key covers, by name, page after page. */
export async function* listSubscriptions(
  connection: Connection,
  query: SubscriptionsQuery = {},
  options: CallOptions = {},
): AsyncGenerator<Subscription, void> {
  checkQuery(query)
  for (let next: string | undefined = search(query); next !== undefined; ) {
    const answer: Answer = await call(connection, `/subscriptions${next}`, { method: 'GET' }, options)
    yield* jsonOf<Subscription[]>(answer, Array.isArray)
    next = nextQuery(answer.header('link'))
  }
}

export const readSubscription = async (
  connection: Connection,
  name: string,
  options: CallOptions = {},
): Promise<Subscription> => subscriptionOf(await call(connection, pathOf(name), { method: 'GET' }, options))

/** Makes it, or changes what may change. Safe to try again. */
export async function putSubscription(
  connection: Connection,
  name: string,
  subscription: NewSubscription,
  options: CallOptions = {},
): Promise<Subscription> {
  requireObject(subscription, 'a subscription must be an object, for instance { topics }')
  const request = { ...jsonBody(subscription), method: 'PUT' } as const
  return subscriptionOf(await call(connection, pathOf(name), request, options))
}

/** Safe to try again, as what it leads to is said. */
export const setSubscriptionState = async (
  connection: Connection,
  name: string,
  how: 'pause' | 'resume',
  options: CallOptions = {},
): Promise<Subscription> =>
  subscriptionOf(await call(connection, `${pathOf(name)}/${how}`, { method: 'POST' }, options))

/** Has it begin anew at another place, or says what that would do. A second try leads to the same place. */
export async function seekSubscription(
  connection: Connection,
  name: string,
  { from, dryRun = false }: { readonly from: string; readonly dryRun?: boolean },
  options: CallOptions = {},
): Promise<Sought> {
  requireText('from', from)
  const body = jsonBody({ from, dry_run: dryRun })
  return jsonOf<Sought>(
    await call(connection, `${pathOf(name)}/seek`, body, options),
    (value) => 'again' in value,
  )
}

export const dropSubscription = async (
  connection: Connection,
  name: string,
  options?: CallOptions,
): Promise<void> => await drop(connection, pathOf(name), 'unknown_subscription', options)

export function pathOf(name: string): string {
  requireText('the name of a subscription', name)
  return `/subscriptions/${encodeURIComponent(name)}`
}

const subscriptionOf = (answer: Answer): Subscription =>
  jsonOf<Subscription>(answer, (value) => 'outstanding' in value)
