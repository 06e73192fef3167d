/**
 * The system of the report that Sekali grew from, its algorithm as it is there and in the language of ours: an HTTP
 * layer that pushes each event's JSON to a Redis list, and in the same process one worker that pops one event at a
 * time and inserts it in a transaction of its own, with ON CONFLICT DO NOTHING against the unique constraint.
 *
 * Where the report leaves a choice, this takes what is faster: bare node:http where the report has a framework, the
 * checks written by hand, connections that are kept, a prepared statement. Its servers are ours, with the same
 * durable settings.
 */
import { createServer, type IncomingMessage } from 'node:http'
import process from 'node:process'
import { Redis } from 'ioredis'
import pg from 'pg'

interface ReportEvent {
  readonly topic: string
  readonly event_id: string
  readonly timestamp: string
  readonly source: string
  readonly payload: object
}

const { REDIS_URL = '', DATABASE_URL = '', REDIS_PREFIX = '', PORT } = process.env
const queue = `${REDIS_PREFIX}:event_queue`
const pushing = new Redis(REDIS_URL)
const popping = new Redis(REDIS_URL)
const database = new pg.Client({ connectionString: DATABASE_URL })
const counters = { received: 0, stored: 0, dropped: 0 }

await database.connect()
await database.query(`CREATE TABLE IF NOT EXISTS processed_events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  topic text NOT NULL,
  event_id text NOT NULL,
  "timestamp" timestamptz NOT NULL,
  source text NOT NULL,
  payload json NOT NULL,
  UNIQUE (topic, event_id)
)`)

const server = createServer(async (request, response) => {
  const reply = (status: number, value: unknown) =>
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
  if (request.url !== '/publish') {
    reply(200, counters)
    return
  }
  const event = parse(await bodyOf(request))
  if (event === undefined) {
    reply(422, { detail: 'invalid' })
    return
  }
  await pushing.rpush(queue, JSON.stringify(event))
  counters.received += 1
  reply(200, { status: 'queued', event_id: event.event_id })
})
server.listen(Number(PORT), '127.0.0.1')

const leave = () => process.exit(0)
process.once('SIGTERM', leave)
process.once('disconnect', leave)
await work()

async function work(): Promise<never> {
  for (;;) {
    const popped = await popping.blpop(queue, 0)
    if (popped === null) continue
    const event = JSON.parse(popped[1]) as ReportEvent
    await database.query('BEGIN')
    const { rowCount } = await database.query({
      name: 'insert',
      text: `INSERT INTO processed_events (topic, event_id, "timestamp", source, payload) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (topic, event_id) DO NOTHING`,
      values: [event.topic, event.event_id, event.timestamp, event.source, JSON.stringify(event.payload)],
    })
    await database.query('COMMIT')
    if (rowCount === 1) counters.stored += 1
    else counters.dropped += 1
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

function parse(body: string): ReportEvent | undefined {
  const event = JSON.parse(body) as Partial<ReportEvent>
  const { topic, event_id, timestamp, source, payload } = event
  const texts = [topic, event_id, source].every((text) => typeof text === 'string' && text !== '')
  const isTime = typeof timestamp === 'string' && !Number.isNaN(Date.parse(timestamp))
  return texts && isTime && typeof payload === 'object' ? (event as ReportEvent) : undefined
}
