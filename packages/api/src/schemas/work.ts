/** What workers send and get: pulls, and what comes of what they have pulled. */
import { subscriptionLimits as max, settleActions, settleResults } from '@sekali/core/subscription'
import * as v from 'valibot'
import { StoredEvent } from './event.ts'
import { Blocker, numberFrom, objectRule } from './subscription-fields.ts'
import { Instant, Seq } from './text.ts'

const waitSecondsMax = 30

/** It is shown in lists and in a terminal, hence nothing that moves the cursor. */
function plainText(charsMax: number) {
  const rule = `must be 1 to ${charsMax} characters without control characters`
  return v.pipe(
    v.string(rule),
    v.minLength(1, rule),
    v.maxLength(charsMax, rule),
    v.regex(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u, rule),
  )
}

/** What `POST /subscriptions/{name}/pull` takes. */
export const Pull = v.strictObject(
  {
    max: v.optional(v.pipe(numberFrom(1, max.pullEventsMax), v.description('At most so many events.')), 100),
    bytes_max: v.optional(
      v.pipe(
        numberFrom(1, max.pullBytesMax),
        v.description('At most so many bytes of events; of a larger one the first comes alone.'),
      ),
      1024 * 1024,
    ),
    wait_s: v.optional(
      v.pipe(numberFrom(0, waitSecondsMax), v.description('For how long to wait if there is nothing.')),
      0,
    ),
    worker: v.optional(
      v.pipe(plainText(max.workerCharsMax), v.description('What the worker is called, for people.')),
    ),
  },
  objectRule,
)

const Token = v.pipe(v.string(), v.description('What settles it.'))

export const Pulled = v.object({
  items: v.pipe(
    v.array(
      v.object({
        token: Token,
        attempt: v.pipe(Seq, v.description('1 the first time.')),
        event: StoredEvent,
      }),
    ),
    v.description('Of a topic by seq.'),
  ),
  token: v.optional(v.pipe(v.string(), v.description('It stands for all of them that are not settled yet.'))),
  lease_until: v.optional(
    v.pipe(Instant, v.description('Until when nobody else gets them, by the clock of PostgreSQL.')),
  ),
  lease_s: v.optional(
    v.pipe(Seq, v.description('The same in seconds from the answer on, by no clock but your own.')),
  ),
  blocked_by: v.optional(
    v.pipe(v.array(Blocker), v.description('Sources, or topics, that hold others back. At most 10.')),
  ),
})

const tokenRule = `must be a token of at most ${max.tokenCharsMax} characters`
const itemsRule = `must be an array of 1 to ${max.settleItemsMax} items`

const SettleFields = v.strictObject(
  {
    token: v.pipe(
      v.string(tokenRule),
      v.minLength(1, tokenRule),
      v.maxLength(max.tokenCharsMax, tokenRule),
      v.description('Of an event, or of a whole pull.'),
    ),
    do: v.pipe(
      v.picklist(settleActions, `must be one of ${settleActions.join(', ')}`),
      v.description(
        '`ack`: done. `nak`: again later. `extend`: the lease begins anew. `term`: a dead letter at once. `release`: for somebody else, and no attempt.',
      ),
    ),
    delay_s: v.optional(
      v.pipe(
        numberFrom(0, max.backoffSecondsMax),
        v.description(
          'Of `nak`: after so long, in place of the backoff. Of `extend`: for so long, in place of the lease.',
        ),
      ),
    ),
    reason: v.optional(
      v.pipe(plainText(max.reasonCharsMax), v.description('Of `nak` and `term`: why, for the dead letter.')),
    ),
  },
  objectRule,
)

const delayRule = `is for nak, and of at most ${max.leaseSecondsMax} seconds for extend: leave it out`
const reasonRule = 'is for nak and term: leave it out'

const SettleItem = v.pipe(
  SettleFields,
  v.forward(
    v.check(
      ({ do: action, delay_s: delay }) =>
        delay === undefined || action === 'nak' || (action === 'extend' && isLease(delay)),
      delayRule,
    ),
    ['delay_s'],
  ),
  v.forward(
    v.check(
      ({ do: action, reason }) => reason === undefined || action === 'nak' || action === 'term',
      reasonRule,
    ),
    ['reason'],
  ),
)

const isLease = (seconds: number): boolean => seconds >= max.leaseSecondsMin && seconds <= max.leaseSecondsMax

/** What `POST /subscriptions/{name}/settle` takes. */
export const Settle = v.strictObject(
  {
    items: v.pipe(
      v.array(SettleItem, itemsRule),
      v.minLength(1, itemsRule),
      v.maxLength(max.settleItemsMax, itemsRule),
      v.description('Each by itself: one that fails leaves the others.'),
    ),
  },
  objectRule,
)

export const Settled = v.object({
  items: v.pipe(
    v.array(
      v.object({
        token: v.string(),
        result: v.pipe(
          v.picklist(settleResults),
          v.description(
            '`already_settled`: nothing is to be done. `lease_lost`: somebody else has it, or a seek took it. `unknown`: no such token was handed out.',
          ),
        ),
      }),
    ),
    v.description('In the order of the request.'),
  ),
})
