/**
 * What an event takes on PostgreSQL's disk: of events like those of all rows, about 350 bytes as they are published, with a
 * random UUID as their id. They come through the commit step into an empty log, so its indexes are as full as they get in use.
 */
import type { TopicName } from '@sekali/core/event'
import { ensureTopics } from '@sekali/store/ensure-topics'
import pg from 'pg'
import { reportTopics } from '../events.ts'
import { startMeter } from '../measure/processor-time.ts'
import { measureOlder, openOlderEmpty } from '../rivals/older.ts'
import type { Row, Side } from '../row.ts'
import { measureCommit, openStore } from '../sides/commit.ts'
import type { Bench } from '../system/bench.ts'
import { batchesOf } from '../system/stored-batches.ts'

const events = 500_000
const topics = reportTopics as unknown as readonly TopicName[]

async function storeOurs(bench: Bench): Promise<string> {
  const url = await bench.createDatabase()
  await using store = openStore(url)
  await ensureTopics(store, topics)
  await measureCommit(bench, store, batchesOf(1, bench.scaled(events)))
  return url
}

async function storeOlder(bench: Bench): Promise<string> {
  await using older = await openOlderEmpty(bench)
  await measureOlder(bench, older, batchesOf(1, bench.scaled(events)))
  return older.url
}

const sizeOf = (name: string, store: typeof storeOurs, size: string): Side => ({
  name,
  open: async (bench) => {
    const client = new pg.Client(await store(bench))
    await client.connect()
    return {
      measure: async () => {
        const stop = startMeter(bench.servers)
        const { rows } = await client.query(`SELECT ${size}::float8 / (SELECT count(*) FROM events) AS bytes`)
        return { ...stop(), value: Number(rows[0].bytes) }
      },
      [Symbol.asyncDispose]: () => client.end(),
    }
  },
})

const row = (name: string, what: string, size: string, must: number, aim: number): Row => ({
  name,
  what,
  against: 'd25da9c',
  unit: 'bytes',
  ours: sizeOf('sekali', storeOurs, size),
  rival: sizeOf('d25da9c', storeOlder, size),
  target: { of: 'ratio', better: 'lower', must, aim },
  rounds: 1,
})

export const bytesRows: readonly Row[] = [
  row('index-bytes', 'indexes of an event on disk', `pg_indexes_size('events')`, 0.7, 0.6),
  row('bytes', 'all of an event on disk', `pg_total_relation_size('events')`, 1.02, 1),
]
