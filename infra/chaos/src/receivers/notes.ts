// What a receiver writes down before it answers, and before it does anything else with a request.

/** An event has come, alone or with others. */
export interface Sent {
  readonly kind: 'sent'
  /** When its head came. */
  readonly at: number
  /** The request's, of this receiver: its events have the same, and so has its answer. */
  readonly number: number
  readonly plan: string
  /** `webhook-id`, or what that would be of the event alone. */
  readonly hook: string
  readonly topic: string
  readonly seq: number
  readonly source: string
  readonly attempt: number
  /** As in {@link Seen}. */
  readonly digest: string
  /** What of it is not as it must be: its signature, say. */
  readonly wrong?: string
}

/** What it is answered; noted before that goes out. */
interface Answered {
  readonly kind: 'answered'
  readonly at: number
  readonly number: number
  readonly status: number
}

/** What must never come: something at a place where nothing may be sent. */
interface Strayed {
  readonly kind: 'strayed'
  readonly at: number
  readonly what: string
}

export type ReceiverNote = Sent | Answered | Strayed
