import { defineProjection, type Json } from '../define.ts'

/** The last event of each topic and key: the payload's `key`, a number or a short string, or else the source. */
export const latest = defineProjection<Json>({
  name: 'latest',
  topics: '>',
  initial: null,
  key: ({ topic, source, payload: { key } }) => `${topic} ${isName(key) ? key : source}`,
  apply: (_, { topic, eventId, timestamp, source, payload, seq }) => ({
    topic,
    event_id: eventId,
    timestamp,
    source,
    payload,
    seq,
  }),
})

const keyCharsMax = 256

const isName = (key: Json | undefined): key is string | number | bigint =>
  typeof key === 'string'
    ? key !== '' && key.length <= keyCharsMax
    : ['number', 'bigint'].includes(typeof key)
