import { defineProjection, type Json } from '../define.ts'

/** The last event of each topic and key: the payload's `key`, a number or a string if it is short, or else the source. */
export const latest = defineProjection<Json>({
  name: 'latest',
  version: 2,
  topics: '>',
  initial: null,
  key: ({ topic, source, payload: { key } }) => `${topic} ${nameOf(key) ?? source}`,
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

/** A whole number may have as many digits as a payload has room for. */
function nameOf(key: Json | undefined): string | undefined {
  if (!['string', 'number', 'bigint'].includes(typeof key)) return undefined
  const name = String(key)
  return name !== '' && name.length <= keyCharsMax ? name : undefined
}
