import * as v from 'valibot'
import { BadEvents, BadLines } from './problem.ts'
import { Count, Epoch, EventIdText, Seq } from './text.ts'

const queued = v.literal('queued')

/** One event. */
export const EventQueued = v.object({ status: queued, event_id: EventIdText })

const Differs = v.pipe(
  v.array(v.literal('timestamp')),
  v.description('What of a repeat is not as it is in the log. It was dropped with the repeat.'),
)

/** One event that was waited for. */
export const EventStored = v.object({
  status: v.picklist(['stored', 'duplicate']),
  event_id: EventIdText,
  seq: Seq,
  epoch: v.optional(Epoch),
  differs: v.optional(Differs),
})

const sifted = { invalid: v.optional(Count), events: v.optional(BadEvents) }

export const BatchQueued = v.object({ status: queued, queued: Count, ...sifted })

export const LinesQueued = v.object({
  status: queued,
  queued: Count,
  lines_read: v.optional(Count),
  invalid: v.optional(Count),
  lines: v.optional(BadLines),
})

const Receipt = v.object({
  index: v.optional(v.pipe(Count, v.description('Where in the array it was, if not all of it was taken.'))),
  event_id: EventIdText,
  status: v.picklist(['queued', 'stored', 'duplicate', 'conflict', 'dead', 'lost']),
  seq: v.optional(Seq),
  epoch: v.optional(Epoch),
  differs: v.optional(Differs),
  reason: v.optional(v.string()),
})

/** A batch that was waited for: `queued` if not every outcome is known. */
export const BatchReceipts = v.object({
  status: v.picklist(['settled', 'queued']),
  queued: Count,
  ...sifted,
  receipts: v.array(Receipt),
})
