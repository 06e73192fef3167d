/** Dead letters, conflicts, and the operations on them. */
import { letterIdRule, letterKinds, parseLetterId, parseLettersCursor } from '@sekali/core/letter'
import * as v from 'valibot'
import { Count, EventIdText, Instant, InstantText, Seq, Topic, TopicPattern } from './text.ts'

export const LetterIdText = v.pipe(
  v.string(letterIdRule),
  v.check((text) => parseLetterId(text) !== undefined, letterIdRule),
  v.metadata({ pattern: '^[ecd]-(0|[1-9][0-9]{0,14})$' }),
)

const cursorRule = 'must be where a page ended, such as e-12,c-7: a Link has it'

export const LettersCursorText = v.pipe(
  v.string(cursorRule),
  v.check((text) => parseLettersCursor(text) !== undefined, cursorRule),
  v.metadata({ pattern: '^[ecd]-(0|[1-9][0-9]{0,14})(,[ecd]-(0|[1-9][0-9]{0,14})){0,2}$' }),
)

export const letterStates = ['open', 'redriven', 'discarded', 'published_as', 'all'] as const

export const LetterKindText = v.picklist(letterKinds, `must be one of ${letterKinds.join(', ')}`)
export const LetterStateText = v.picklist(letterStates, `must be one of ${letterStates.join(', ')}`)

const reasonRule =
  'must be conflict, malformed_entry, key_collision, exhausted, terminated, or the SQLSTATE with which PostgreSQL refused it'

export const ReasonText = v.pipe(v.string(reasonRule), v.regex(/^(?:[a-z_]{1,32}|[0-9A-Z]{5})$/, reasonRule))

const settledEntries = {
  became: v.picklist(['redriven', 'discarded', 'published_as']),
  at: Instant,
  by: v.pipe(v.string(), v.description('The id of the key that did it, or who else did.')),
  operation: v.optional(v.pipe(Seq, v.description('The operation that did it.'))),
  reason: v.optional(v.pipe(v.string(), v.description('Why it was discarded.'))),
  event_id: v.optional(v.pipe(v.string(), v.description('The event id under which it was published.'))),
}

const letterEntries = {
  id: v.pipe(
    LetterIdText,
    v.description('e- and a number for an entry, c- for a conflict, d- for a delivery.'),
  ),
  kind: v.pipe(
    v.picklist(letterKinds),
    v.description(
      'entry: PostgreSQL refused it, or it was no event. conflict: another content has its id. delivery: workers could not do it, or an endpoint did not take it.',
    ),
  ),
  topic: Topic,
  event_id: v.pipe(v.nullable(v.string()), v.description('Null if it cannot be read.')),
  reason: v.pipe(
    v.string(),
    v.description(
      'conflict, malformed_entry, key_collision, or the SQLSTATE with which PostgreSQL refused it. Of a delivery: exhausted, or terminated by a worker.',
    ),
  ),
  entry_id: v.optional(v.pipe(v.string(), v.description('Of an entry: its id in the stream.'))),
  seq: v.optional(
    v.pipe(
      Seq,
      v.description(
        'Of a conflict: the number of the event that has the id. Of a delivery: that of the event.',
      ),
    ),
  ),
  subscription: v.optional(v.pipe(Topic, v.description('Of a delivery.'))),
  attempts: v.optional(v.pipe(Count, v.description('Of a delivery: how often it was handed out.'))),
  said: v.optional(v.pipe(v.string(), v.description('Of a delivery: the reason that a worker gave.'))),
  received_at: v.pipe(Instant, v.description('When Redis took it. Of a delivery: when it was given up.')),
  stored_at: Instant,
  kept: v.pipe(
    v.boolean(),
    v.description('False: its topic had too many, so of its content nothing is kept. It cannot be redriven.'),
  ),
  state: v.pipe(
    v.picklist(['open', 'settled']),
    v.description('settled: somebody has dealt with it. The figures count it either way.'),
  ),
  settled: v.optional(v.object(settledEntries)),
}

export const Letter = v.object(letterEntries)

const contentEntries = {
  timestamp: Instant,
  source: v.string(),
  payload: v.pipe(v.record(v.string(), v.unknown()), v.description('As it was sent.')),
}

/** A letter with its content. */
export const LetterWithContent = v.object({
  ...letterEntries,
  fields: v.optional(
    v.pipe(
      v.array(v.string()),
      v.description('Of an entry: field, value, field, value … as Redis had them.'),
    ),
  ),
  event: v.optional(
    v.pipe(
      v.object({ topic: Topic, event_id: v.string(), ...contentEntries }),
      v.description(
        'What the entry says, if that is an event: what a redrive appends. Of a delivery: the event, as it is stored.',
      ),
    ),
  ),
  received: v.optional(v.pipe(v.object(contentEntries), v.description('Of a conflict: what came.'))),
  stored: v.optional(
    v.pipe(
      v.object({ ...contentEntries, received_at: Instant, stored_at: Instant }),
      v.description('Of a conflict: the content that has the id.'),
    ),
  ),
  differs: v.optional(
    v.pipe(
      v.array(v.picklist(['timestamp', 'source', 'payload'])),
      v.description('Of a conflict: in what they differ, byte for byte.'),
    ),
  ),
  same_json: v.optional(
    v.pipe(
      v.boolean(),
      v.description(
        'Of a conflict: whether the payloads are equal as JSON, to the last digit of each number.',
      ),
    ),
  ),
})

const filterEntries = {
  id: v.optional(v.pipe(LetterIdText, v.description('This one letter.'))),
  topic: v.optional(v.pipe(TopicPattern, v.description('Only this topic, or those of a pattern.'))),
  subscription: v.optional(
    v.pipe(Topic, v.description('Deliveries of this subscription. Without it entries are meant.')),
  ),
  reason: v.optional(ReasonText),
  from: v.optional(v.pipe(InstantText, v.description('Received at this time or later.'))),
  to: v.optional(v.pipe(InstantText, v.description('Received before this time.'))),
}

const countRule = 'must be a whole number from 0'
const rateMax = 10_000
const rateRule = `must be a whole number from 1 to ${rateMax}`

/** What `POST /dead-letters/redrive` takes. */
export const Redrive = v.strictObject(
  {
    filter: v.optional(
      v.pipe(
        v.strictObject(filterEntries, 'must be a JSON object'),
        v.description('All open entries without it.'),
      ),
    ),
    dry_run: v.optional(v.pipe(v.boolean('must be true or false'), v.description('Count, and do nothing.'))),
    as_of: v.optional(
      v.pipe(LetterIdText, v.description('Of the dry run: what comes later is not redriven. Needed.')),
    ),
    expect: v.optional(
      v.pipe(
        v.number(countRule),
        v.integer(countRule),
        v.minValue(0, countRule),
        v.maxValue(Number.MAX_SAFE_INTEGER, countRule),
        v.description('Of the dry run: it begins if as many match now. Needed.'),
      ),
    ),
    rate: v.optional(
      v.pipe(
        v.number(rateRule),
        v.integer(rateRule),
        v.minValue(1, rateRule),
        v.maxValue(rateMax, rateRule),
        v.description('Entries a second, 50 if it is not said. Deliveries have none.'),
      ),
    ),
  },
  'must be a JSON object',
)

export const RedriveCount = v.object({
  matched: v.pipe(Count, v.description('Open letters that would be redriven.')),
  by_reason: v.record(v.string(), Count),
  as_of: LetterIdText,
  redriven: v.optional(
    v.pipe(Count, v.description('Of deliveries, once it is done: how many workers get again.')),
  ),
})

const discardCharsMax = 256
const discardRule = `must be 1 to ${discardCharsMax} characters without control characters`

/** What `POST /dead-letters/{id}/discard` takes. */
export const Discard = v.strictObject(
  {
    reason: v.pipe(
      v.string(discardRule),
      v.minLength(1, discardRule),
      v.maxLength(discardCharsMax, discardRule),
      v.regex(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u, discardRule),
      v.description('For people, who read it in the audit log.'),
    ),
  },
  'must be a JSON object',
)

/** What `POST /dead-letters/{id}/publish-as` takes. */
export const PublishAs = v.strictObject(
  { event_id: v.pipe(EventIdText, v.description('A new one, in the topic.')) },
  'must be a JSON object',
)

export const Operation = v.object({
  id: Seq,
  kind: v.literal('redrive'),
  state: v.picklist(['running', 'done', 'cancelled', 'failed']),
  filter: v.object({ ...filterEntries, from: v.optional(Instant), to: v.optional(Instant) }),
  as_of: LetterIdText,
  rate: v.pipe(Seq, v.description('Events a second.')),
  matched: v.pipe(Count, v.description('How many letters there were when it began.')),
  done: v.pipe(Count, v.description('How many of them it has come past.')),
  outcomes: v.pipe(
    v.record(v.string(), Count),
    v.description(
      'What came of them. redriven: appended. not_an_event: nothing that could be appended; it stays open. settled_by_others: somebody was faster.',
    ),
  ),
  created_at: Instant,
  created_by: v.string(),
  finished_at: v.nullable(Instant),
  error: v.optional(v.pipe(v.string(), v.description('Why it failed.'))),
})
