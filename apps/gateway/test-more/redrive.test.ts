/** What a redrive does not survive, and what it waits for. That one goes on elsewhere after kill -9 is in the crash suite. */

import type { TopicName } from '@sekali/core/event'
import { ensureTopics } from '@sekali/store/ensure-topics'
import { findOperation } from '@sekali/store/operations'
import { eventually } from '@sekali/testkit/eventually'
import { makeConflict, makeDead } from '@sekali/testkit/letters'
import { expect, test } from 'vitest'
import { post, problemIn } from '../test/gateway.ts'
import { ownKeys } from '../test/own-keys.ts'
import { ownPressed } from '../test/own-pressed.ts'

type Ask = (path: string, body?: object) => Promise<Response>
type Json = Record<string, unknown>

const jsonIn = async (response: Response) => (await response.json()) as Json

/** Counts the open letters of a topic, and asks for their redrive. */
async function redrive(ask: Ask, topic: string, rate: number): Promise<Response> {
  const filter = { topic }
  const { as_of, matched } = await jsonIn(await ask('/dead-letters/redrive', { filter, dry_run: true }))
  return await ask('/dead-letters/redrive', { filter, as_of, expect: matched, rate })
}

test('a redrive waits on a topic that is full, and goes on by itself', async () => {
  await using system = await ownPressed([{ eventsMax: 50 }])
  const { gateway } = system
  await ensureTopics(gateway.store, ['orders' as TopicName])
  await system.fillTo('orders', 50)
  for (const id of ['1', '2', '3']) await makeDead(gateway.store, id)
  const ask: Ask = (path, body) => fetch(gateway.url + path, body && post(JSON.stringify(body)))
  const { id } = await jsonIn(await redrive(ask, 'orders', 1_000))
  const operation = async () => await jsonIn(await ask(`/operations/${id}`))
  // It has been tried: whoever has the lease renews it, between two tries.
  const lease = async () => {
    const { rows } = await gateway.store.pool.query<{ until: Date | null }>(
      'SELECT lease_until AS until FROM operations.operations WHERE id = $1',
      [id],
    )
    return rows[0]?.until?.valueOf() ?? 0
  }
  const begun = await eventually(async () => {
    const until = await lease()
    expect(until).toBeGreaterThan(0)
    return until
  }, 10_000)
  await eventually(async () => expect(await lease()).toBeGreaterThan(begun), 15_000)
  expect(await operation()).toMatchObject({ state: 'running', done: 0 })
  expect(await system.added('orders')).toBe(50)

  system.startConsumer()
  await eventually(async () => expect(await operation()).toMatchObject({ state: 'done', done: 3 }), 30_000)
  expect(await operation()).toMatchObject({ outcomes: { redriven: 3 } })
  await eventually(async () => {
    const { topics } = (await jsonIn(await ask('/stats?topic=orders'))) as { topics: Json[] }
    expect(topics).toMatchObject([{ stored: 53, in_flight: 0 }])
  }, 30_000)
})

test('a redrive ends with the key that began it, says why, and another key may begin it again', async () => {
  await using gateway = await ownKeys()
  for (const id of ['1', '2', '3', '4']) await makeDead(gateway.store, id)
  const [mine, others] = [await gateway.make(), await gateway.make()]
  const asking =
    (key: string): Ask =>
    (path, body) =>
      gateway.ask(path, key, body && post(JSON.stringify(body)))
  const { id } = await jsonIn(await redrive(asking(mine.text), 'orders', 1))
  await eventually(async () =>
    expect(await findOperation(gateway.store, Number(id))).toMatchObject({ done: 1 }),
  )
  const revoked = await gateway.ask(`/keys/${mine.key.id}`, others.text, { method: 'DELETE' })
  expect(revoked.ok).toBe(true)
  const operation = async (one: unknown) => await jsonIn(await asking(others.text)(`/operations/${one}`))
  const ended = await eventually(async () => {
    const now = await operation(id)
    expect(now.state).toBe('failed')
    return now
  }, 15_000)
  expect(ended).toMatchObject({
    error: expect.stringMatching(/^the key or token that began it has been revoked/),
  })
  expect(ended.done).toBeLessThan(4)
  expect(await (await asking(others.text)('/audit')).json()).toContainEqual(
    expect.objectContaining({
      action: 'redrive_failed',
      details: expect.objectContaining({ error: ended.error }),
    }),
  )
  const answer = await redrive(asking(others.text), 'orders', 1_000)
  expect(answer.status).toBe(202)
  const again = (await jsonIn(answer)).id
  await eventually(async () => expect(await operation(again)).toMatchObject({ state: 'done' }), 15_000)
  const appended = [ended, await operation(again)].map(({ outcomes }) => Number((outcomes as Json).redriven))
  expect(appended.reduce((sum, one) => sum + one)).toBe(4)
})

test('a key that PostgreSQL knows as revoked changes nothing, whatever the gateway still believes', async () => {
  await using gateway = await ownKeys()
  await makeDead(gateway.store, '1')
  await makeConflict(gateway.store, '2')
  const mine = await gateway.make()
  const ask: Ask = (path, body) => gateway.ask(path, mine.text, body && post(JSON.stringify(body)))
  const { as_of } = await jsonIn(await ask('/dead-letters/redrive', { dry_run: true }))
  const { id } = await jsonIn(await ask('/dead-letters/redrive', { as_of, expect: 1, rate: 1 }))
  // Past the API, so that no hint reaches the gateway.
  await gateway.store.pool.query('UPDATE access.keys SET revoked_at = now() WHERE id = $1', [mine.key.id])
  for (const [path, body] of [
    ['/dead-letters/redrive', { as_of, expect: 1 }],
    ['/dead-letters/e-1/discard', { reason: 'known' }],
    ['/dead-letters/c-1/publish-as', { event_id: '2b' }],
    [`/operations/${id}/cancel`, {}],
  ] as const) {
    const refused = await ask(path, body)
    expect(refused.headers.get('www-authenticate'), path).toContain('invalid_token')
    expect(await problemIn(refused), path).toMatchObject({ status: 401, code: 'unauthorized' })
  }
})
