/**
 * HTTP → NATS JetStream → PostgreSQL, as one builds it in Node: a door that publishes each event as a message of its own with
 * the id by which JetStream leaves out what comes twice, and a consumer that pulls, stores and acknowledges. Two processes of
 * this program, as ours are, by ROLE.
 *
 * Where there is a choice this takes what is faster: one acknowledgement for all messages of a batch, a stream that keeps
 * what is acknowledged, two minutes in which JetStream knows an id.
 */
import process from 'node:process'
import {
  AckPolicy,
  type JsMsg,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream'
import { connect, nanos } from '@nats-io/transport-node'
import type { QueuedEvent } from './event.ts'
import { serve } from './serve.ts'
import { type Counters, openTable, storeInto } from './store.ts'

const { ROLE, NATS_URL = '', NATS_TOKEN = '', DATABASE_URL = '' } = process.env
const stream = 'EVENTS'
const consumerName = 'store'
const windowMs = 120_000
const underWayMax = 5_000

const connection = await connect({ servers: NATS_URL, token: NATS_TOKEN })
const manager = await jetstreamManager(connection)
await manager.streams.add({
  name: stream,
  subjects: ['events.>'],
  storage: StorageType.File,
  retention: RetentionPolicy.Limits,
  duplicate_window: nanos(windowMs),
})
if (ROLE === 'store') await store()
else serve({}, publisher())

function publisher() {
  const client = jetstream(connection)
  return async (events: readonly QueuedEvent[]) => {
    await Promise.all(
      events.map((event) => {
        const { topic, event_id: id } = event
        return client.publish(`events.${topic}`, JSON.stringify(event), { msgID: `${topic}/${id}` })
      }),
    )
  }
}

async function store(): Promise<void> {
  const counters: Counters = { stored: 0, dropped: 0 }
  const database = await openTable(DATABASE_URL)
  const keep = storeInto(database, counters, (batch: readonly Delivered[]) => batch.at(-1)?.message.ack())
  await manager.consumers.add(stream, {
    durable_name: consumerName,
    ack_policy: AckPolicy.All,
    max_ack_pending: underWayMax,
  })
  const consumer = await jetstream(connection).consumers.get(stream, consumerName)
  serve(counters)
  await consumer.consume({
    max_messages: underWayMax,
    callback: (message) => keep({ event: message.json<QueuedEvent>(), message }),
  })
}

interface Delivered {
  readonly event: QueuedEvent
  readonly message: JsMsg
}
