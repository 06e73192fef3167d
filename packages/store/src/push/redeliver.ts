import type { TopicName } from '@sekali/core/event'
import type { By } from '../audit/append.ts'
import type { Store } from '../postgres/connect.ts'
import { change, whoOf } from '../subscriptions/call.ts'
import type { NotDone } from './types.ts'

/**
 * `not_found`: no such event of a topic of this subscription. `not_yet`: it will go out by itself, as it has not so far.
 * `in_flight`: it is on its way. `too_many`: so many wait already. `settled`: somebody has dealt with its dead letter.
 */
export type Redelivered = 'queued' | NotDone | 'not_found' | 'not_yet' | 'in_flight' | 'too_many' | 'settled'

/**
 * Has an event delivered now, whatever became of it so far: one that waits need not wait, one that was delivered or given up
 * goes out once more. Safe twice. Rejects with `StoreUnavailable`.
 */
export const redeliver = (
  store: Store,
  { name, topic, seq }: { readonly name: string; readonly topic: TopicName; readonly seq: number },
  by: By,
): Promise<Redelivered> =>
  change<{ outcome: Redelivered }, Redelivered>(
    store,
    'delivery once more',
    'subscriptions.redeliver($1, $2, $3, $4, $5, $6) AS r (outcome)',
    [name, topic, seq, ...whoOf(by)],
    ({ outcome }) => outcome,
  )
