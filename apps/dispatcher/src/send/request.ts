/** What is sent: the body, and headers that say what it is and who has signed it. */
import type { DeliveryBody, HeaderValues, PushedEvent } from '@sekali/store/push-types'
import { eventBody, standardBody } from '@sekali/webhook/body'
import { type SigningKey, sign, webhookId } from '@sekali/webhook/sign'

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

export function requestOf(
  { event, attempt }: Pick<PushedEvent, 'event' | 'attempt'>,
  kind: DeliveryBody,
  signing: Signing,
  nowMs: number,
): Outgoing {
  const body = kind === 'event' ? eventBody(event) : standardBody(event)
  return signed(webhookId(event.topic, event.eventId), body, signing, nowMs, {
    'sekali-topic': event.topic,
    'sekali-seq': String(event.seq),
    ...(event.epoch !== undefined && { 'sekali-epoch': String(event.epoch) }),
    // A source may be any text, and a header may not.
    'sekali-source': encodeURIComponent(event.source.toWellFormed()),
    'sekali-attempt': String(attempt),
  })
}

/** A sample: signed as an event is, and no event. */
export function sampleOf(signing: Signing, now: Date): Outgoing {
  const body = `{"type":"sekali.test","timestamp":"${now.toISOString()}","data":{"message":"a test of this endpoint"}}`
  return signed(webhookId('sekali.test', now.toISOString()), body, signing, now.getTime(), {
    'sekali-topic': 'sekali.test',
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
