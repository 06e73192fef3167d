/** Making a push subscription, or changing what may change of it. */
import type { By } from '../audit/append.ts'
import type { Store } from '../postgres/connect.ts'
import { change, whoOf } from '../subscriptions/call.ts'
import { conditionsOf, filterOf, placesOf } from '../subscriptions/put.ts'
import { subscriptionIn } from '../subscriptions/row.ts'
import type { PutOutcome, Subscription } from '../subscriptions/types.ts'
import type { PushConfig } from './types.ts'

/**
 * Creates a push subscription, finds that it is as wanted, or changes its settings; safe twice. The sealed secret counts when it
 * is created, and at no other time. A subscription of that name that is pulled is `immutable` in its `kind`. Rejects with
 * `StoreUnavailable`.
 */
export const putPush = (store: Store, config: PushConfig, secret: Buffer, by: By): Promise<PutOutcome> =>
  change<{ outcome: PutOutcome['outcome']; field: string | null }, PutOutcome>(
    store,
    'making of a push subscription',
    'subscriptions.put_push($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)',
    [
      ...[config.name, config.topics.text, config.topics.regExp.source, config.order],
      ...[JSON.stringify(filterOf(config)), conditionsOf(config), config.retrySeconds, config.onExhausted],
      ...[JSON.stringify(placesOf(config.from, config.topics.text)), JSON.stringify(endpointOf(config))],
      ...[config.headers?.sealed ?? null, config.headers?.tag ?? null, secret],
      ...whoOf(by),
    ],
    async ({ outcome, field }, tx) => {
      if (outcome === 'actor_ended' || outcome === 'too_many' || outcome === 'cursor_ahead')
        return { outcome }
      const subscription = (await subscriptionIn(tx, config.name)) as Subscription
      return outcome === 'immutable'
        ? { outcome, field: field ?? '', subscription }
        : { outcome, subscription }
    },
  )

/** Its columns, by which it is compared. */
const endpointOf = ({ url, headers, concurrency, body, ...config }: PushConfig) => ({
  url,
  header_names: headers?.names ?? [],
  concurrency,
  rate_per_s: config.ratePerSecond,
  timeout_s: config.timeoutSeconds,
  body,
  batch_max: config.batchMax,
})
