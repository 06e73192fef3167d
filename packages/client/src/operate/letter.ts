// What answers about dead letters and conflicts have.
import type { AnyPayload } from '../answers.ts'

/**
 * `entry`: PostgreSQL refused it, or it was no event. `conflict`: another content has its id. `delivery`: the workers of a
 * subscription could not do it.
 */
export type LetterKind = 'entry' | 'conflict' | 'delivery'

/** What somebody has done about a letter. */
export interface Settled {
  readonly became: 'redriven' | 'discarded' | 'published_as'
  /** RFC 3339, UTC. */
  readonly at: string
  /** The id of the key that did it, or who else did. */
  readonly by: string
  /** The operation that did it. */
  readonly operation?: number
  /** Why it was discarded. */
  readonly reason?: string
  /** The event id under which it was published. */
  readonly event_id?: string
}

/** A dead letter or a conflict, without its content. */
export interface Letter {
  /** `e-` and a number for an entry, `c-` for a conflict, `d-` for a delivery. */
  readonly id: string
  readonly kind: LetterKind
  readonly topic: string
  /** Null if it cannot be read. */
  readonly event_id: string | null
  /**
   * `conflict`, `malformed_entry`, `key_collision`, or the SQLSTATE with which PostgreSQL refused it, such as `23514`. Of a
   * delivery: `exhausted`, or `terminated` by a worker.
   */
  readonly reason: string
  /** Of an entry: its id in the stream. */
  readonly entry_id?: string
  /** Of a conflict: the number of the event that has the id. Of a delivery: that of the event. */
  readonly seq?: number
  /** Of a delivery: its subscription, how often it was handed out, and the reason that a worker gave last. */
  readonly subscription?: string
  readonly attempts?: number
  readonly said?: string
  readonly received_at: string
  readonly stored_at: string
  /** False: its topic had too many, so of its content nothing is kept, and it can only be discarded. */
  readonly kept: boolean
  readonly state: 'open' | 'settled'
  readonly settled?: Settled
}

export interface LetterContent<Payload extends object = AnyPayload> {
  readonly timestamp: string
  readonly source: string
  readonly payload: Payload
}

/** What a conflict and the event that has its id have in them, and in what they differ. */
export interface Comparison<Payload extends object = AnyPayload> {
  /** What came; undefined if nothing of it is kept. */
  readonly received?: LetterContent<Payload> | undefined
  /** What is in the log. */
  readonly stored?:
    | (LetterContent<Payload> & { readonly received_at: string; readonly stored_at: string })
    | undefined
  /** In what they differ, byte for byte. */
  readonly differs?: readonly ('timestamp' | 'source' | 'payload')[] | undefined
  /** Whether the payloads are equal as JSON, to the last digit of each number. */
  readonly same_json?: boolean | undefined
}

/** A letter with its content: of a conflict a comparison as well. */
export interface LetterWithContent<Payload extends object = AnyPayload> extends Letter, Comparison<Payload> {
  /** Of an entry: field, value, field, value … as Redis had them. */
  readonly fields?: readonly string[]
  /** What an entry says, if that is an event: what a redrive appends. Of a delivery: the event. */
  readonly event?: LetterContent<Payload> & { readonly topic: string; readonly event_id: string }
}

/** Which letters. Times are RFC 3339, or what the gateway takes besides. */
export interface LetterFilter {
  /** A topic or a pattern. */
  readonly topic?: string | undefined
  /** Only deliveries of this subscription. */
  readonly subscription?: string | undefined
  /** `malformed_entry`, `key_collision`, a SQLSTATE such as `23514`, or of deliveries `exhausted`; of a list also `conflict`. */
  readonly reason?: string | undefined
  /** Received at this time or later. */
  readonly from?: string | undefined
  /** Received before this time. */
  readonly to?: string | undefined
}

export interface LettersQuery extends LetterFilter {
  readonly kind?: LetterKind | undefined
  /** What came of them; `open` if it is not said. */
  readonly state?: 'open' | Settled['became'] | 'all' | undefined
  /** Letters a request, from 1 to 1,000: all come, page after page. */
  readonly limit?: number | undefined
}
