/** Subscriptions: what several workers work off together, or what is sent to an endpoint. */
import { subscriptionLimits as max, onExhaustedChoices } from '@sekali/core/subscription'
import * as v from 'valibot'
import { MadePushSubscription, NewPushSubscription, PushSubscription } from './push.ts'
import { From, fixedFields, numberFrom, objectRule, shownFields } from './subscription-fields.ts'
import { Count, Seq } from './text.ts'

const backoffRule = `must be an array of at most ${max.backoffStepsMax} waits`

/** What holds for a subscription and can be changed. */
const changeable = {
  lease_s: v.optional(
    v.pipe(
      numberFrom(max.leaseSecondsMin, max.leaseSecondsMax),
      v.description('For how long a worker has what it pulls. It can extend that.'),
    ),
    30,
  ),
  outstanding_max: v.optional(
    v.pipe(
      numberFrom(1, max.outstandingMax),
      v.description('How many events workers may have at a time, all of them together.'),
    ),
    1_000,
  ),
  deliveries_max: v.optional(
    v.pipe(
      numberFrom(1, max.deliveriesMax),
      v.description('After so many attempts an event is a dead letter.'),
    ),
    5,
  ),
  backoff_s: v.optional(
    v.pipe(
      v.array(numberFrom(0, max.backoffSecondsMax), backoffRule),
      v.maxLength(max.backoffStepsMax, backoffRule),
      v.description(
        'The waits after the first attempt, the second and so on; the last holds for all that follow. Empty: at once.',
      ),
    ),
    [1, 5, 30, 120],
  ),
  on_exhausted: v.optional(
    v.pipe(
      v.picklist(onExhaustedChoices, `must be ${onExhaustedChoices.join(' or ')}`),
      v.description(
        'What a dead letter does to what is ordered behind it: `block` holds its source, or its topic, until somebody has dealt with it.',
      ),
    ),
    'skip',
  ),
}

/** What `PUT /subscriptions/{name}` takes, if workers are to pull. */
const NewPullSubscription = v.strictObject(
  {
    kind: v.optional(v.pipe(v.literal('pull'), v.description('Workers ask for events.')), 'pull'),
    ...fixedFields,
    source_batch: v.optional(
      v.pipe(
        numberFrom(1, max.sourceBatchMax),
        v.description(
          'With the order `source`: how many events of one source one worker may have at a time.',
        ),
      ),
      1,
    ),
    ...changeable,
  },
  objectRule,
)

/** What `PUT /subscriptions/{name}` takes. */
export const NewSubscription = v.variant('kind', [NewPullSubscription, NewPushSubscription], ({ path }) =>
  path === undefined ? objectRule : 'must be pull or push',
)

const PullSubscription = v.object({
  kind: v.literal('pull'),
  ...shownFields,
  source_batch: Seq,
  lease_s: Seq,
  outstanding_max: Seq,
  deliveries_max: Seq,
  backoff_s: v.array(Count),
  on_exhausted: v.picklist(onExhaustedChoices),
  state: v.pipe(v.picklist(['active', 'paused']), v.description('paused: nothing is handed out.')),
})

/** A subscription, and how far it is. */
export const Subscription = v.variant('kind', [PullSubscription, PushSubscription])

/** The same when it is made: the only answer with the secret. */
export const MadeSubscription = v.variant('kind', [PullSubscription, MadePushSubscription])

/** What `POST /subscriptions/{name}/seek` takes. */
export const Seek = v.strictObject(
  {
    from: From,
    dry_run: v.optional(
      v.pipe(v.boolean('must be true or false'), v.description('Say what it would do.')),
      false,
    ),
  },
  objectRule,
)

export const Sought = v.object({
  dry_run: v.boolean(),
  lost: v.pipe(Count, v.description('Events that workers have or that wait for a retry: their tokens end.')),
  again: v.pipe(Count, v.description('Events that were handed out before and are handed out again.')),
  skipped: v.pipe(Count, v.description('Events that are not settled and will not be handed out.')),
})
