import { defineProjection } from '../define.ts'

/**
 * How many events, and bytes of payload, each source brought to each topic in each minute of their arrival. The minute
 * comes first in the key, so that `?after=2025-12-08T10:00` is everything since ten.
 */
export const activity = defineProjection({
  name: 'activity',
  topics: '>',
  initial: { events: 0, bytes: 0 },
  key: ({ receivedAt, topic, source }) => `${receivedAt.slice(0, 16)}Z ${topic} ${source}`,
  apply: ({ events, bytes }, { payloadText }) => ({
    events: events + 1,
    bytes: bytes + Buffer.byteLength(payloadText),
  }),
})
