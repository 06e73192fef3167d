/**
 * The texts that the API is made of. Where a schema checks with code, the metadata say in JSON Schema what the code does,
 * as far as JSON Schema can: text.test.ts holds both against each other.
 */
import { EventId, Source, TopicName } from '@sekali/core/event'
import { limits } from '@sekali/core/limits'
import { TopicPatternText } from '@sekali/core/pattern'
import { explainTimestamp, normalizeTimestamp } from '@sekali/core/timestamp'
import * as v from 'valibot'

export const Topic = v.pipe(
  TopicName,
  v.metadata({ minLength: 1, maxLength: limits.topicCharsMax, pattern: String.raw`^[\w-]+(\.[\w-]+)*$` }),
)

/** It has its pattern in core. */
export const TopicPattern = v.pipe(TopicPatternText, v.metadata({ minLength: 1 }))

const noNul = String.raw`^[^\u0000]*$`

export const EventIdText = v.pipe(
  EventId,
  v.metadata({ minLength: 1, maxLength: limits.eventIdCharsMax, pattern: noNul }),
)

export const SourceText = v.pipe(
  Source,
  v.metadata({ minLength: 1, maxLength: limits.sourceCharsMax, pattern: noNul }),
)

export const TrueOrFalse = v.pipe(
  v.picklist(['true', 'false'], 'must be true or false'),
  v.transform((text) => text === 'true'),
)

/** An instant as it may be sent in a query. */
export const InstantText = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    // A + that was not written as %2B arrives as a space. No time has a space there.
    const text = dataset.value.replace(/ (?=[\d:]+$)/, '+')
    const time = normalizeTimestamp(text)
    if (time !== undefined) return time
    addIssue({ message: explainTimestamp(text) })
    return NEVER
  }),
)

/** Every time of an answer: UTC, with microseconds. */
export const Instant = v.pipe(
  v.string(),
  v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
  v.metadata({ format: 'date-time' }),
)

/** A time that a consumer announced: UTC, with milliseconds. */
export const InstantMs = v.pipe(
  v.string(),
  v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  v.metadata({ format: 'date-time' }),
)

export const Count = v.pipe(v.number(), v.integer(), v.minValue(0))
export const Seq = v.pipe(v.number(), v.integer(), v.minValue(1))
/** Of a topic's log; the first is left out. */
export const Epoch = v.pipe(v.number(), v.integer(), v.minValue(2))
/** Beside `null` for what cannot be known now. */
export const CountOrUnknown = v.nullable(Count)
