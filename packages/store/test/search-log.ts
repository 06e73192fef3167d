/** The log that searches are made on, and the searches. */
import type { TopicName } from '@sekali/core/event'
import { ownStore } from '@sekali/testkit/own'

import { sql } from '../src/postgres/drizzle.ts'
import type { Search } from '../src/read/search.ts'
import { summarizeSpans } from '../src/read/spans.ts'

export const sizes = { 'log.big': 12_000, 'log.small': 700, 'log.one': 1, other: 2_500 }

/** A database of its own with these topics. */
export async function ownLog() {
  const store = await ownStore()
  for (const [topic, size] of Object.entries(sizes)) await store.db.execute(fill(topic, size))
  // Not all: the last spans of the big topic are searched without a summary.
  for (const topic of Object.keys(sizes)) await summarizeSpans(store, topic as TopicName, 9)
  return store
}

/** Times run on with the seq, but for every 997th, which is far back, and a clock that steps back now and then. */
export const fill = (topic: string, size: number) => sql`
  WITH t AS (INSERT INTO topics (name, head) VALUES (${topic}, ${size}) RETURNING id)
  INSERT INTO events (topic_id, seq, event_id, source, payload, "timestamp", received_at, stored_at, event_key, content_tag)
  SELECT t.id, n, 'e' || n,
    CASE WHEN n BETWEEN 8000 AND 8010 THEN 'rare' WHEN n % 3 = 0 THEN 'third' ELSE 'common' END,
    json_build_object('n', n),
    '2025-01-01Z'::timestamptz + n * interval '1 second' - CASE WHEN n % 997 = 0 THEN interval '9 years' ELSE '0' END,
    '2025-06-01Z'::timestamptz + n * interval '1 second' - CASE WHEN n > 6000 THEN interval '1 hour' ELSE '0' END,
    '2025-06-02Z'::timestamptz + (n / 10) * interval '10 second' - (n % 400 / 100) * interval '20 second',
    gen_random_uuid(), gen_random_uuid()
  FROM t, generate_series(1, ${size}::int) n`

export const searches: [string, Partial<Search> & { topic: string }][] = [
  ['one topic', { topic: 'log.small' }],
  ['a pattern', { topic: 'log.*' }],
  ['everything', { topic: '>' }],
  ['a source', { topic: 'log.big', source: 'third' }],
  ['a rare source', { topic: 'log.big', source: 'rare' }],
  ['a source of a pattern', { topic: '>', source: 'rare' }],
  ['nobody', { topic: '>', source: 'nobody' }],
  ['a day', { topic: 'log.big', from: '2025-01-01T01:00:00.000000Z', to: '2025-01-01T01:10:00.000000Z' }],
  ['long ago', { topic: '>', to: '2016-01-01T00:20:00.000000Z' }],
  [
    'received when the clock stepped back',
    {
      topic: 'log.big',
      by: 'received_at',
      from: '2025-06-01T01:00:00.000000Z',
      to: '2025-06-01T01:05:00.000000Z',
    },
  ],
  [
    'a source and a time of a pattern',
    { topic: 'log.>', source: 'common', from: '2025-01-01T03:00:00.000000Z' },
  ],
  ['a topic that is not there', { topic: 'none' }],
]
