// What the flood's command and its senders say to each other.

/** A publisher of one topic. */
export interface Stream {
  readonly topic: string
  /** What it publishes, in batches of {@link batchEvents}; undefined for as much as it is answered. */
  readonly eventsPerSecond?: number | undefined
  /** So many batches are under way at most. */
  readonly connections: number
}

export interface SenderOptions {
  readonly url: string
  /** The address from which it connects: a gateway tells clients apart by it. */
  readonly localAddress: string
  /** No other sender has it: event ids begin with it. */
  readonly run: string
  readonly streams: readonly Stream[]
  /** What arrears it gives up: a flood that the gateway does not take as fast does not come later. Undefined: none. */
  readonly arrearsMsMax?: number | undefined
  /** That of `nice`: a flood brings machines of its own, in truth. */
  readonly priority: number
}

/** What became of a stream's batches. */
export interface Sent {
  readonly topic: string
  /** Batches that were answered, or given up. */
  readonly batches: number
  /** Numbers of the batches that were answered 200. */
  readonly taken: readonly number[]
  /** Batches that got no certain answer. */
  readonly uncertain: number
  /** Other answers, by status. */
  readonly refused: Readonly<Record<string, number>>
  /** From the moment at which a batch was due until it was answered 200, in milliseconds, batch by batch. */
  readonly takenMs: readonly number[]
}

export const batchEvents = 500

/** The id of an event of a batch. */
export const eventId = (run: string, batch: number, index: number): string => `${run}.${batch}-${index}`
