/** Making a subscription, or changing what may change of it. */

import { isOfTopics } from '@sekali/core/bound'
import type { EpochPlace } from '@sekali/core/fork'
import type { By } from '../audit/append.ts'
import type { Store } from '../postgres/connect.ts'
import { change, whoOf } from './call.ts'
import { subscriptionIn } from './row.ts'
import type { From, PutOutcome, Subscription, SubscriptionConfig } from './types.ts'

interface PutRow {
  readonly outcome: PutOutcome['outcome']
  readonly field: string | null
}

/**
 * Creates a subscription, finds that it is as wanted, or changes its settings; safe twice. What it is about cannot change. The
 * audit log says what was done. Rejects with `StoreUnavailable`.
 */
export const putSubscription = (store: Store, config: SubscriptionConfig, by: By): Promise<PutOutcome> =>
  change<PutRow, PutOutcome>(
    store,
    'making of a subscription',
    'subscriptions.put($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)',
    [
      ...[config.name, config.topics.text, config.topics.regExp.source, config.order],
      JSON.stringify(filterOf(config)),
      conditionsOf(config),
      ...[config.sourceBatch, config.leaseSeconds, config.outstandingMax, config.deliveriesMax],
      ...[
        config.backoffSeconds,
        config.onExhausted,
        JSON.stringify(placesOf(config.from, config.topics.text)),
      ],
      ...whoOf(by),
    ],
    async ({ outcome, field }, tx) => {
      if (outcome !== 'created' && outcome !== 'same' && outcome !== 'changed' && outcome !== 'immutable') {
        return { outcome }
      }
      const subscription = (await subscriptionIn(tx, config.name)) as Subscription
      return outcome === 'immutable'
        ? { outcome, field: field ?? '', subscription }
        : { outcome, subscription }
    },
  )

/** What means the same is the same text: what is left out stands nowhere, and neither order of keys nor of sources matters. */
export const filterOf = ({ filter: { sources, payload } }: Pick<SubscriptionConfig, 'filter'>) => ({
  ...(sources !== undefined && { sources: [...new Set(sources)].sort() }),
  ...(payload !== undefined && {
    payload: Object.fromEntries(Object.entries(payload).sort(([a], [b]) => (a < b ? -1 : 1))),
  }),
})

/** The pointers as the functions of the database want them; null where there are none. */
export function conditionsOf({ filter: { payload } }: Pick<SubscriptionConfig, 'filter'>): string | null {
  if (payload === undefined) return null
  const unescaped = (step: string) => step.replaceAll('~1', '/').replaceAll('~0', '~')
  return JSON.stringify(
    Object.entries(payload).map(([pointer, values]) => ({
      steps: pointer.split('/').slice(1).map(unescaped),
      // JSON has no infinity, and writes null: which another value may be.
      values: values.filter((value) => typeof value !== 'number' || Number.isFinite(value)),
    })),
  )
}

/** As the functions of the database want it. */
export function placesOf(from: From, topics: string): object {
  if (typeof from === 'string') return { from }
  if ('time' in from) return { from: 'time', time: from.time }
  const { after } = from
  const places: [string | number, EpochPlace][] = isOfTopics(after)
    ? [...(after as ReadonlyMap<string | number, EpochPlace>)]
    : [[topics, after]]
  return {
    from: 'after',
    places: places.map(([key, { epoch, seq }]) => ({
      ...(typeof key === 'number' ? { id: key } : { name: key }),
      epoch,
      seq,
    })),
  }
}
