/**
 * The commit step of d25da9c on its own table: BEGIN with the lock, COPY under a savepoint, the topic's update with COMMIT, on
 * one connection. Its statements, and not its code: COPY is in the text format, which took PostgreSQL as long.
 */
import { performance } from 'node:perf_hooks'
import { finished } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { reportTopics } from '../events.ts'
import { startMeter } from '../measure/processor-time.ts'
import type { Measure, Side } from '../row.ts'
import type { Bench } from '../system/bench.ts'
import { olderTable } from '../system/older-table.ts'
import { type Batch, batchesOf } from '../system/stored-batches.ts'
import { encode } from './copy.ts'

export interface Older extends AsyncDisposable {
  readonly url: string
  readonly client: pg.Client
}

export async function openOlder(url: string): Promise<Older> {
  const client = new pg.Client({ connectionString: url, options: '-c timezone=UTC' })
  await client.connect()
  await client.query(prepare)
  return { url, client, [Symbol.asyncDispose]: () => client.end() }
}

const prepare = `
  PREPARE take_turn (text) AS
    SELECT id, name, stream_group, position, accounted, seen, seen_id, history, retired, head, kept_bytes FROM topics
    WHERE name = $1 FOR UPDATE SKIP LOCKED;
  PREPARE end_turn (integer, text, bigint, bigint) AS
    UPDATE topics SET stream_group = 'bench', position = $2, seen_id = $2, accounted = $3, seen = $3, head = $4,
      history = NULL, retired = false, duplicates = duplicates + 0, conflicts = conflicts + 0
    WHERE id = $1`

const planOnce = 'SET LOCAL plan_cache_mode = force_generic_plan'
const planAnew = 'SET LOCAL plan_cache_mode = force_custom_plan'
const copy = 'COPY events (topic_id, seq, event_id, "timestamp", source, payload, received_at) FROM STDIN'

async function commitBatch({ client }: Older, batch: Batch): Promise<void> {
  const take = `EXECUTE take_turn (${pg.escapeLiteral(batch.topic)})`
  const results: unknown = await client.query(`BEGIN; ${planOnce}; ${take}; ${planAnew}; SAVEPOINT guess`)
  const [row] = (results as pg.QueryResult<{ id: number; head: string; accounted: string }>[])[2]?.rows ?? []
  if (row === undefined) throw new Error(`nobody else should have the turn of ${batch.topic}`)
  const head = { id: row.id, seq: Number(row.head) }
  const stream = client.query(copyFrom(copy))
  stream.end(encode(batch, head).text)
  await finished(stream)
  const accounted = Number(row.accounted) + batch.received.length
  await client.query(
    `${planOnce}; EXECUTE end_turn (${row.id}, '${accounted}-0', ${accounted}, ${head.seq}); COMMIT`,
  )
}

export async function measureOlder(bench: Bench, older: Older, batches: readonly Batch[]): Promise<Measure> {
  const stop = startMeter(bench.servers)
  const startedAt = performance.now()
  for (const batch of batches) await commitBatch(older, batch)
  const seconds = (performance.now() - startedAt) / 1_000
  const events = batches.reduce((sum, { received }) => sum + received.length, 0)
  return { ...stop(), seconds, value: events / seconds }
}

/** It on an empty log of its own. */
export async function openOlderEmpty(bench: Bench): Promise<Older> {
  const older = await openOlder(await bench.createDatabase())
  await older.client.query(olderTable)
  await older.client.query('INSERT INTO topics (name) SELECT unnest($1::text[])', [reportTopics])
  return older
}

export const olderCommit = (options: { readonly events: number }): Side => ({
  name: 'd25da9c',
  open: async (bench) => {
    const older = await openOlderEmpty(bench)
    await measureOlder(bench, older, batchesOf(0, warmUpEvents))
    return {
      measure: async (round) => {
        const batches = batchesOf(round, bench.scaled(options.events))
        await bench.checkpoint()
        return await measureOlder(bench, older, batches)
      },
      [Symbol.asyncDispose]: () => older[Symbol.asyncDispose](),
    }
  },
})

const warmUpEvents = 100_000
