/** What is sent: the body, and headers that say what it is and who has signed it. */
import type { TopicName } from '@sekali/core/event'
import type { DeliveryBody, HeaderValues, PushedEvent } from '@sekali/store/push-types'
import { arrayBody, eventBody, standardBody, standardElement } from '@sekali/webhook/body'
import { batchId, type SigningKey, sign, webhookId } from '@sekali/webhook/sign'

export interface Signing {
  readonly keys: readonly SigningKey[]
  /** Headers of the endpoint's own, their names in small letters. */
  readonly headers: Readonly<Record<string, string>>
  /** What of these may not be written down (hide.ts). */
  readonly hidden: readonly string[]
}

export interface Outgoing {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** The headers as they are kept. */
  readonly shown: HeaderValues
  /** What of them is left out of the answer as it is kept. */
  readonly hidden: readonly string[]
}

type Sent = Pick<PushedEvent, 'event' | 'attempt'>

/** What an endpoint is sent. */
export interface Form {
  readonly body: DeliveryBody
  readonly batchMax: number
}

/** Some may have been handed out together before somebody wanted them one by one. */
const isArray = ({ batchMax }: Pick<Form, 'batchMax'>, count: number): boolean => batchMax > 1 || count > 1

/** Of events of the same attempt. */
export function requestOf(items: readonly Sent[], form: Form, signing: Signing, nowMs: number): Outgoing {
  const [{ event, attempt }] = items as [Sent]
  const ids = items.map((item) => webhookId(item.event.topic, item.event.eventId))
  return signed(batchId(ids), bodyOf(items, ids, form), signing, nowMs, {
    ...(isArray(form, items.length) && { 'sekali-count': String(items.length) }),
    ...(items.length === 1 && aboutOne(event)),
    'sekali-attempt': String(attempt),
  })
}

function bodyOf(items: readonly Sent[], ids: readonly string[], form: Form): string {
  const [first] = items as [Sent]
  if (!isArray(form, items.length))
    return form.body === 'event' ? eventBody(first.event) : standardBody(first.event)
  return arrayBody(
    items.map(({ event }, n) =>
      form.body === 'event' ? eventBody(event) : standardElement(event, ids[n] as string),
    ),
  )
}

const aboutOne = (event: Sent['event']): Readonly<Record<string, string>> => ({
  'sekali-topic': event.topic,
  'sekali-seq': String(event.seq),
  ...(event.epoch !== undefined && { 'sekali-epoch': String(event.epoch) }),
  // A source may be any text, and a header may not.
  'sekali-source': encodeURIComponent(event.source.toWellFormed()),
})

/** A sample: signed as an event is, in an array where events are, and no event. */
export function sampleOf(form: Pick<Form, 'batchMax'>, signing: Signing, now: Date): Outgoing {
  const timestamp = now.toISOString()
  const sample = {
    topic: 'sekali.test' as TopicName,
    timestamp,
    payload: '{"message":"a test of this endpoint"}',
  }
  const id = webhookId(sample.topic, timestamp)
  const inArray = isArray(form, 1)
  const body = inArray ? arrayBody([standardElement(sample, id)]) : standardBody(sample)
  return signed(id, body, signing, now.getTime(), {
    ...(inArray && { 'sekali-count': '1' }),
    'sekali-topic': sample.topic,
    'sekali-attempt': '1',
  })
}

function signed(
  id: string,
  body: string,
  { keys, headers: own, hidden }: Signing,
  nowMs: number,
  about: Readonly<Record<string, string>>,
): Outgoing {
  const timestampSeconds = Math.floor(nowMs / 1_000)
  const ours = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': sign({ id, timestampSeconds, body }, keys),
    ...about,
  }
  const shown = Object.fromEntries(Object.keys(own).map((name) => [name, '(not shown)']))
  return { body, headers: { 'user-agent': 'Sekali', ...own, ...ours }, shown: { ...ours, ...shown }, hidden }
}
