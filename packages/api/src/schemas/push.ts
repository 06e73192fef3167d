/** Subscriptions that are sent to an endpoint: webhooks. */
import { webhookLimits as max, webhookDefaults as usual } from '@sekali/webhook/limits'
import * as v from 'valibot'
import { fixedFields, numberFrom, objectRule, shownFields } from './subscription-fields.ts'
import { Count, Instant, Seq } from './text.ts'

const urlRule = `must be a URL of at most ${max.urlCharsMax} characters`

const headersRule = `must be an object of at most ${max.headersMax} headers`
const headerNameRule = 'must be the name of a header'
const headerValueRule = `must be a text of 1 to ${max.headerValueCharsMax} visible characters and spaces`

const RequestHeaders = v.pipe(
  v.record(
    v.pipe(v.string(headerNameRule), v.regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/, headerNameRule)),
    v.pipe(
      v.string(headerValueRule),
      v.minLength(1, headerValueRule),
      v.maxLength(max.headerValueCharsMax, headerValueRule),
      v.regex(/^[!-~](?:[ -~]*[!-~])?$/, headerValueRule),
    ),
    headersRule,
  ),
  v.maxEntries(max.headersMax, headersRule),
  v.description('Sent with each request. Their values are kept as secrets: answers have the names alone.'),
)

const pushBodies = ['standard', 'event'] as const
const pushOnExhausted = ['skip', 'block', 'stop'] as const

const waitsRule = `must be an array of at most ${max.retryStepsMax} waits`

/** What holds for it and can be changed. */
const changeable = {
  url: v.pipe(
    v.string(urlRule),
    v.minLength(1, urlRule),
    v.maxLength(max.urlCharsMax, urlRule),
    v.description('Where events are sent. `http:`, and addresses that are not public, need WEBHOOK_ALLOW.'),
  ),
  headers: v.optional(RequestHeaders),
  concurrency: v.optional(
    v.pipe(numberFrom(1, max.concurrencyMax), v.description('Requests at a time.')),
    usual.concurrency,
  ),
  rate_per_s: v.optional(
    v.pipe(
      numberFrom(1, max.ratePerSecondMax),
      v.description('Requests that begin in a second, at most. Left out: as many as come.'),
    ),
  ),
  timeout_s: v.optional(
    v.pipe(numberFrom(1, max.timeoutSecondsMax), v.description('A request that takes longer has failed.')),
    usual.timeoutSeconds,
  ),
  body: v.optional(
    v.pipe(
      v.picklist(pushBodies, `must be ${pushBodies.join(' or ')}`),
      v.description('`standard`: type, timestamp and data. `event`: the event as this API shows it.'),
    ),
    usual.body,
  ),
  batch_max: v.optional(
    v.pipe(
      numberFrom(1, max.batchMax),
      v.description(
        'Events in a request, at most. With more than 1 its body is an array, also of one event; a retry has one.',
      ),
    ),
    usual.batchMax,
  ),
  retry_s: v.optional(
    v.pipe(
      v.array(numberFrom(1, max.retrySecondsMax), waitsRule),
      v.maxLength(max.retryStepsMax, waitsRule),
      v.description(
        'The waits before the second attempt, the third and so on, each by up to a fifth more or less. When all are used up, an event is a dead letter.',
      ),
    ),
    [...usual.retrySeconds],
  ),
  on_exhausted: v.optional(
    v.pipe(
      v.picklist(pushOnExhausted, `must be one of ${pushOnExhausted.join(', ')}`),
      v.description(
        'What a dead letter does: `skip` lets all go on, `block` holds its source, or its topic, `stop` disables the endpoint.',
      ),
    ),
    usual.onExhausted,
  ),
}

/** What `PUT /subscriptions/{name}` takes, if events are to be sent. */
export const NewPushSubscription = v.strictObject(
  {
    kind: v.pipe(v.literal('push'), v.description('Events are sent to an endpoint.')),
    ...fixedFields,
    ...changeable,
  },
  objectRule,
)

const pushStates = ['active', 'degraded', 'disabled', 'paused'] as const

const Secret = v.object({
  id: Seq,
  created_at: Instant,
  created_by: v.string(),
  expires_at: v.pipe(
    v.nullable(Instant),
    v.description('Until then it signs beside the newest; null: no end.'),
  ),
})

const SecretText = v.pipe(
  v.string(),
  v.description('What requests are signed with. No other answer shows it.'),
)

const pushFields = {
  kind: v.literal('push'),
  ...shownFields,
  url: v.string(),
  header_names: v.pipe(
    v.array(v.string()),
    v.description('Of the headers that are sent. Values are secrets.'),
  ),
  concurrency: Seq,
  rate_per_s: v.nullable(Seq),
  timeout_s: Seq,
  body: v.picklist(pushBodies),
  batch_max: v.pipe(Seq, v.description('With more than 1, bodies are arrays.')),
  retry_s: v.array(Count),
  on_exhausted: v.picklist(pushOnExhausted),
  state: v.pipe(
    v.picklist(pushStates),
    v.description(
      'degraded: it fails, so there is one attempt at a time. disabled: nothing is sent, see why. paused: by somebody. Nothing is lost in either.',
    ),
  ),
  why: v.pipe(
    v.nullable(v.picklist(['gone', 'failing', 'exhausted'])),
    v.description(
      'Why it is disabled. gone: it answered 410. failing: nothing but failures for days. exhausted: a dead letter, with `stop`.',
    ),
  ),
  state_since: Instant,
  failures: v.pipe(Count, v.description('Since the last success.')),
  failing_since: v.nullable(Instant),
  held_until: v.pipe(
    v.nullable(Instant),
    v.description('It answered 429 or 503 or the like, or fails: nothing is sent until then.'),
  ),
  next_probe_at: v.pipe(
    v.nullable(Instant),
    v.description('Of one that is disabled as failing: the next try.'),
  ),
  success_rate: v.pipe(
    v.nullable(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
    v.description('Of its newest 1,000 attempts of 24 hours; null if there is none.'),
  ),
  secrets: v.optional(
    v.pipe(v.array(Secret), v.description('Newest first, without their texts. Not in lists.')),
  ),
}

/** A subscription whose events are sent, and how far it is. */
export const PushSubscription = v.object(pushFields)

/** The same, when it is made; of what was there before there is no secret. */
export const MadePushSubscription = v.object({ ...pushFields, secret: SecretText })

/** What `POST /subscriptions/{name}/secrets` answers with. */
export const RotatedSecret = v.object({
  id: Seq,
  secret: SecretText,
  secrets: v.pipe(v.array(Secret), v.description('All that sign now, newest first.')),
})
