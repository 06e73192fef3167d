/** How the console calls what subscriptions are and how they stand. */
import type { PushSubscription, Subscription } from '@sekali/client/operate'
import type { Tone } from '../../components/basics.tsx'
import { plural } from '../../text/words.ts'

export const tones: Readonly<Record<Subscription['state'], Tone>> = {
  active: 'ok',
  paused: 'warning',
  degraded: 'warning',
  disabled: 'problem',
}

/** With a filter lag counts also what does not match. */
export const lagText = ({ lag, lag_is_bound: isBound }: Subscription): string =>
  `${isBound && lag > 0 ? 'at most ' : ''}${plural(lag, 'event')}`

export const orderWords: Readonly<Record<Subscription['order'], string>> = {
  none: 'none: what is next goes out',
  source: 'by source: one event of a source at a time',
  topic: 'by topic: one batch of a topic at a time',
}

export const whyWords: Readonly<Record<NonNullable<PushSubscription['why']>, string>> = {
  gone: 'It answered 410: whoever runs it wants no more.',
  failing: 'It has answered with failures alone for days. It is tried once an hour.',
  exhausted: 'An event is a dead letter, and it was to stop then.',
}

/** Rounded down: 100 % is all of them. */
export const successText = ({ success_rate: rate }: PushSubscription): string =>
  rate === null ? 'nothing tried' : `${Math.floor(rate * 1_000) / 10} %`
