import { expectTypeOf, test } from 'vitest'
import type { EventToPublish, Receipt, StoredEvent, TailedEvent } from '../src/answers.ts'
import { type Client, createClient } from '../src/client.ts'

interface Order {
  readonly total: number
  readonly items: readonly string[]
}

const client: Client = createClient({ baseUrl: 'http://127.0.0.1:9' })
const order: Order = { total: 7, items: [] }
const typed: EventToPublish<Order> = {
  topic: 'orders',
  event_id: '1',
  timestamp: '2025-12-08T10:00:00Z',
  source: 'shop',
  payload: order,
}

// Compiled by `npm run types`; nothing of it has to run.
const uses = () => ({
  publish: client.publish(typed),
  batch: client.publishBatch([typed]),
  all: client.publishAll([typed]),
  batcher: client.batcher().publish(typed),
  events: client.events<Order>({ topic: 'orders' }),
  read: client.read<Order>({ topic: 'orders' }),
  replay: client.replay<Order>({ topic: 'orders' }),
  tail: client.tail<Order>({ topic: 'orders' }),
  receipt: client.receipt<Order>('orders', '1'),
  projection: client.projection<{ sum: number }>('sums'),
  key: client.projectionKey<{ sum: number }>('sums', 'a'),
  untyped: client.tail({ topic: 'orders' }),
})

test('a payload may be an interface, and what is read has the type that one asks for', () => {
  type Uses = ReturnType<typeof uses>
  expectTypeOf<Uses['events']>().resolves.toEqualTypeOf<StoredEvent<Order>[]>()
  expectTypeOf<Uses['read']>().toEqualTypeOf<AsyncGenerator<StoredEvent<Order>, void>>()
  expectTypeOf<Uses['replay']>().toEqualTypeOf<AsyncGenerator<StoredEvent<Order>, void>>()
  expectTypeOf<Uses['tail']>().toEqualTypeOf<AsyncGenerator<TailedEvent<Order>, void>>()
  expectTypeOf<Uses['receipt']>().resolves.toEqualTypeOf<Receipt<Order>>()
  expectTypeOf<Awaited<Uses['projection']>['state']>().toEqualTypeOf<{ sum: number } | undefined>()
  expectTypeOf<Awaited<Uses['key']>['state']>().toEqualTypeOf<{ sum: number }>()
  expectTypeOf<StoredEvent['payload']['anything']>().toBeUnknown()
})
