import * as v from 'valibot'
import { Count, Epoch, Seq, Topic } from './text.ts'

export const ProjectionName = v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/))

/** Up to which seq each topic has been folded. */
const AsOf = v.pipe(
  v.nullable(v.record(v.string(), Count)),
  v.description(
    'Up to which seq of each topic; null with more than 1,000 topics, unless `as_of=true` asks for it.',
  ),
)

const Epochs = v.optional(
  v.pipe(
    v.record(v.string(), Epoch),
    v.description('In which epoch of their logs topics are folded that were restored from a backup.'),
  ),
)

/** The event at which it failed, or that it skipped. */
const EventTrouble = v.object({ topic: Topic, seq: Seq, event_id: v.string(), message: v.string() })
const FileTrouble = v.object({ file: v.string(), line: v.optional(Seq), message: v.string() })
const Skipped = v.object({ count: Seq, last: EventTrouble })
const status = v.picklist(['live', 'building', 'failed', 'orphaned'])

/** A projection; or the file of a definition that does not load, whose name has a dot. */
export const ProjectionStatus = v.object({
  name: v.string(),
  version: Count,
  status: v.picklist([...status.options, 'not_loaded']),
  keyed: v.boolean(),
  as_of: AsOf,
  epochs: Epochs,
  astray: v.optional(
    v.pipe(
      v.array(Topic),
      v.description('Topics of which it has folded events that a restore took away. It is folded anew.'),
    ),
  ),
  lag: v.pipe(Count, v.description('Events that are still to be folded.')),
  error: v.optional(v.union([EventTrouble, FileTrouble])),
  skipped: v.optional(Skipped),
  rebuild: v.optional(
    v.object({
      version: Count,
      status: v.picklist(['building', 'failed']),
      lag: Count,
      error: v.optional(EventTrouble),
      skipped: v.optional(Skipped),
    }),
  ),
})

const State = v.pipe(v.unknown(), v.description('Any JSON: what the definition has folded.'))

/** Of a projection with keys a page of them, otherwise its one state. */
export const ProjectionStates = v.object({
  name: ProjectionName,
  version: Count,
  status,
  as_of: AsOf,
  epochs: Epochs,
  skipped: v.optional(Skipped),
  next: v.optional(v.pipe(v.string(), v.description('The `after` of the next page.'))),
  state: v.optional(State),
  keys: v.optional(v.array(v.object({ key: v.string(), state: State }))),
})

export const ProjectionKey = v.object({
  name: ProjectionName,
  key: v.string(),
  as_of: AsOf,
  epochs: Epochs,
  state: State,
})
