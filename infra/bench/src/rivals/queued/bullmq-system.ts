/**
 * HTTP → BullMQ → PostgreSQL, as one builds it in Node: a door that adds each event as a job with an id by which BullMQ leaves
 * out what is in the queue already, and a worker whose jobs wait for the statement that stores up to a thousand of them.
 * Two processes of this program, as ours are, by ROLE.
 *
 * A request's jobs are added in one call, and a job that is done is removed, which is faster than to keep it.
 */
import process from 'node:process'
import { Queue, Worker } from 'bullmq'
import type { QueuedEvent } from './event.ts'
import { serve } from './serve.ts'
import { type Counters, openTable, storeInto } from './store.ts'

const { ROLE, REDIS_URL = '', REDIS_PREFIX = '', DATABASE_URL = '' } = process.env
const name = 'events'
const shared = { prefix: REDIS_PREFIX, connection: { url: REDIS_URL, maxRetriesPerRequest: null } }
const underWayMax = 1_000

if (ROLE === 'store') await store()
else serve({}, publisher())

function publisher() {
  const queue = new Queue<QueuedEvent>(name, shared)
  return async (events: readonly QueuedEvent[]) => {
    await queue.addBulk(
      events.map((event) => ({
        name: 'event',
        data: event,
        opts: { jobId: `${event.topic}/${event.event_id}` },
      })),
    )
  }
}

async function store(): Promise<void> {
  const counters: Counters = { stored: 0, dropped: 0 }
  const keep = storeInto(await openTable(DATABASE_URL), counters, (batch: readonly Working[]) => {
    for (const { done } of batch) done()
  })
  serve(counters)
  const work = (event: QueuedEvent) => new Promise<void>((done) => keep({ event, done }))
  const worker = new Worker<QueuedEvent>(name, ({ data }) => work(data), {
    ...shared,
    concurrency: underWayMax,
    removeOnComplete: { count: 0 },
  })
  worker.on('error', (error) => process.stderr.write(`${error.message}\n`))
}

interface Working {
  readonly event: QueuedEvent
  readonly done: () => void
}
