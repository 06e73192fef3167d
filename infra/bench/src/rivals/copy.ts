/**
 * The ceiling of storing: `COPY … FROM STDIN` of the same rows into the same table with the same indexes, a thousand
 * rows a transaction on one connection, everything made beforehand: seqs are numbered, keys and tags hashed, rows encoded. It finds no
 * duplicates (a duplicate would abort it), gives out no numbers and keeps no position.
 */
import { performance } from 'node:perf_hooks'
import { finished } from 'node:stream/promises'
import { contentTag } from '@sekali/store/content-tag'
import { keysOf } from '@sekali/store/event-key'
import { readPepper } from '@sekali/store/pepper'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { reportTopics } from '../events.ts'
import { startMeter } from '../measure/processor-time.ts'
import type { Measure, Side } from '../row.ts'
import { openStore } from '../sides/commit.ts'
import { type Batch, batchesOf } from '../system/stored-batches.ts'

const statement =
  'COPY events (topic_id, seq, event_id, "timestamp", source, payload, received_at, event_key, content_tag) FROM STDIN'
const warmUpEvents = 50_000

export const copyIn = (options: { readonly events: number }): Side => ({
  name: 'COPY',
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const url = await bench.createDatabase()
    const client = new pg.Client({ connectionString: url, options: '-c timezone=UTC' })
    await client.connect()
    parts.defer(() => client.end())
    const { rows: topics } = await client.query<{ id: number; name: string }>(
      'INSERT INTO topics (name) SELECT unnest($1::text[]) RETURNING id, name',
      [reportTopics],
    )
    const pepper = await readPepper(parts.use(openStore(url)))
    const heads = new Map(topics.map(({ name, id }) => [name, { id, seq: 0 }]))
    const measure = async (seed: number, events: number): Promise<Measure> => {
      const batches = batchesOf(seed, events).map((batch) => encode(batch, heads.get(batch.topic), pepper))
      await bench.checkpoint()
      const stop = startMeter(bench.servers)
      const startedAt = performance.now()
      for (const { text } of batches) {
        const copy = client.query(copyFrom(statement))
        copy.end(text)
        await finished(copy)
      }
      const seconds = (performance.now() - startedAt) / 1_000
      const count = batches.reduce((sum, { rows }) => sum + rows, 0)
      return { ...stop(), seconds, value: count / seconds }
    }
    await measure(0, warmUpEvents)
    const opened = parts.move()
    return {
      measure: (round) => measure(round, bench.scaled(options.events)),
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  },
})

export interface Head {
  readonly id: number
  seq: number
}

/** The rows for COPY, with keys and tags if there is a pepper. `head` moves on. */
export function encode({ topic, received }: Batch, head: Head | undefined, pepper?: Buffer) {
  if (head === undefined) throw new Error(`no topic ${topic}`)
  const keyOf = pepper && keysOf(pepper, head.id)
  const lines = received.map(({ event, receivedAt }) => {
    head.seq += 1
    const { eventId, timestamp, source, payload } = event
    const values = [head.id, head.seq, eventId, timestamp, source, escapeText(payload), receivedAt]
    if (keyOf) values.push(keyOf(eventId), contentTag(pepper, 'bytes', source, payload))
    return values.join('\t')
  })
  return { text: Buffer.from(`${lines.join('\n')}\n`), rows: lines.length }
}

const escapeText = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n')
