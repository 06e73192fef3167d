/**
 * How a queue's consumer keeps events: up to a thousand in one statement, which leaves out those that are there. What comes
 * while one statement runs is in the next. The columns go as arrays, because PostgreSQL takes those quickest.
 */
import pg from 'pg'
import type { QueuedEvent } from './event.ts'

/** An event on its way. */
interface Delivery {
  readonly event: QueuedEvent
}

/** What has come of the events that the queue delivered. */
export interface Counters {
  stored: number
  dropped: number
}

const batchMax = 1_000

export async function openTable(databaseUrl: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query(`CREATE TABLE IF NOT EXISTS processed_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    event_id text NOT NULL,
    "timestamp" timestamptz NOT NULL,
    source text NOT NULL,
    payload json NOT NULL,
    UNIQUE (topic, event_id)
  )`)
  return client
}

/**
 * Returns where deliveries go. `onStored` gets them, in their order, once PostgreSQL has them on disk. A statement that fails
 * ends the process: a benchmark of lost events is none.
 */
export function storeInto<D extends Delivery>(
  client: pg.Client,
  counters: Counters,
  onStored: (batch: readonly D[]) => void,
): (delivery: D) => void {
  let waiting: D[] = []
  let isStoring = false
  const work = async () => {
    isStoring = true
    // What has come in one read of the socket is stored together.
    await new Promise(setImmediate)
    while (waiting.length > 0) {
      const batch = waiting.slice(0, batchMax)
      waiting = waiting.slice(batchMax)
      const stored = await insert(client, batch)
      counters.stored += stored
      counters.dropped += batch.length - stored
      onStored(batch)
    }
    isStoring = false
  }
  return (delivery) => {
    waiting.push(delivery)
    if (!isStoring) void work()
  }
}

async function insert(client: pg.Client, batch: readonly Delivery[]): Promise<number> {
  const columnOf = (name: keyof QueuedEvent) => batch.map(({ event }) => event[name])
  const { rowCount } = await client.query({
    name: 'insert',
    text: `INSERT INTO processed_events (topic, event_id, "timestamp", source, payload)
      SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::json[])
      ON CONFLICT (topic, event_id) DO NOTHING`,
    values: [
      columnOf('topic'),
      columnOf('event_id'),
      columnOf('timestamp'),
      columnOf('source'),
      batch.map(({ event }) => JSON.stringify(event.payload)),
    ],
  })
  return rowCount ?? 0
}
