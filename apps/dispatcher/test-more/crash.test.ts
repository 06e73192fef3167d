/**
 * Whatever is killed, each event that matches is delivered, dead or still to be settled, and what was attempted is written down.
 */
import { type App, startApp } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { upTo } from '@sekali/testkit/sample'
import { expect, inject, test } from 'vitest'
import { startReceiver, status } from '../test/receiver.ts'
import { ownStack, type Stack, sealKeyText } from '../test/stack.ts'

/** Many processes start at the same time here. */
const startMs = 60_000

const isDispatching = (app: App) => eventually(() => expect(app.output()).toContain('dispatching'), startMs)

const start = (stack: Stack, name: string, env: Record<string, string> = {}) =>
  startApp('dispatcher/src/main.ts', {
    DATABASE_URL: stack.store.url,
    REDIS_URL: inject('redisUrl'),
    REDIS_PREFIX: `p${new URL(stack.store.url).pathname.slice(1).replace('test_', '')}`,
    DISPATCHER_NAME: name,
    WEBHOOK_KEY: sealKeyText,
    WEBHOOK_ALLOW: '127.0.0.0/8',
    ...env,
  })

/** Leases of a dispatcher that was killed run for the timeout and ten seconds: here they run out as time would have it. */
const runOut = (stack: Stack) =>
  stack.store.pool.query(
    `SELECT FROM subscriptions.subscriptions s ORDER BY s.id FOR UPDATE;
     UPDATE subscriptions.exceptions x SET since = clock_timestamp(), due_at = s.horizon + interval '1 us'
     FROM (SELECT subscription, max(horizon) AS horizon FROM subscriptions.states GROUP BY 1) s
     WHERE s.subscription = x.subscription AND x.leased`,
  )

test.concurrent('dispatchers killed at every step: delivered, dead and unsettled are all that matches', {
  timeout: 240_000,
}, async () => {
  await using stack = await ownStack()
  await using receiver = await startReceiver((request, response) =>
    status(request.seq % 50 === 7 ? 500 : 200)(request, response),
  )
  await using patient = await startReceiver()
  // A dispatcher that is killed has used up an attempt of what it was handed out: others than those may die.
  await stack.push('hook', receiver.url, { retrySeconds: [1, 1], concurrency: 20 })
  await stack.push('ordered', patient.url, { retrySeconds: Array(19).fill(1), order: 'source' })
  await stack.push('together', patient.url, { retrySeconds: Array(19).fill(1), batchMax: 20 })
  let stored = 0
  const add = async (count: number) => {
    await stack.add(count, (n) => ({ source: `s${n % 5}` }))
    stored += count
  }
  await add(200)
  const points = ['handed_out', 'sending', 'answered', 'written']
  for (const point of points) {
    await using victim = start(stack, point, { DISPATCHER_FAILPOINT: `${point}:0.05` })
    let isDead = false
    void victim.exited.then(() => {
      isDead = true
    })
    await isDispatching(victim)
    while (!isDead) {
      expect(stored, 'the victim lives on').toBeLessThan(5_000)
      const before = receiver.received.length
      await add(50)
      await runOut(stack)
      await eventually(() => expect(isDead || receiver.received.length > before).toBe(true), startMs)
    }
    expect(await victim.exited).toBe('SIGKILL')
  }
  // One goes on failing. With many, where nothing else is left, they would be tried one at a time.
  receiver.answer = (request, response) => status(request.seq === 7 ? 500 : 200)(request, response)
  await using _heir = start(stack, 'heir')
  for (const name of ['hook', 'ordered', 'together']) {
    await eventually(async () => {
      await runOut(stack)
      expect(await stack.status(name)).toMatchObject({ lag: 0, outstanding: 0, retrying: 0 })
    }, 120_000)
    const attempts = await stack.attempts(name)
    const delivered = new Set(attempts.filter(({ state }) => state === 'delivered').map(({ seq }) => seq))
    const dead = new Set((await stack.dead(name)).map(({ seq }) => seq))
    const settled = upTo(stored).filter((seq) => delivered.has(seq) || dead.has(seq))
    // What was settled was written down in the same transaction.
    expect(settled.length).toBe(stored)
    if (name === 'hook') expect(dead.has(7)).toBe(true)
    else expect([...dead]).toEqual([])
  }
})

test.concurrent('a dispatcher that is asked to leave finishes what is on its way, and hands over at once', async () => {
  await using stack = await ownStack()
  await using receiver = await startReceiver((request, response) => {
    setTimeout(() => status(200)(request, response), 300)
  })
  await stack.push('hook', receiver.url)
  await stack.add(10)
  await using first = start(stack, 'first')
  await isDispatching(first)
  await eventually(() => expect(receiver.open()).toBeGreaterThan(0), startMs)
  first.signal('SIGTERM')
  expect(await first.exited).toBe(0)
  expect(first.output()).toContain('drained')
  const { outstanding } = await stack.status()
  expect(outstanding).toBe(0)
  await using _second = start(stack, 'second')
  await eventually(async () => expect(await stack.status()).toMatchObject({ lag: 0 }), startMs)
  expect(receiver.received.map(({ attempt }) => attempt)).toEqual(upTo(10).map(() => 1))
  expect(new Set(receiver.received.map(({ seq }) => seq)).size).toBe(10)
})

test.concurrent('no secret is in what a dispatcher logs, or in what it writes down', async () => {
  await using stack = await ownStack()
  await using receiver = await startReceiver(status(500))
  const secret = await stack.push('hook', receiver.url, { retrySeconds: [1] })
  await stack.add(3)
  await using dispatcher = start(stack, 'talks', { LOG_LEVEL: 'trace' })
  await eventually(async () => expect(await stack.dead()).toHaveLength(3), startMs)
  dispatcher.signal('SIGTERM')
  await dispatcher.exited
  const key = secret.slice('whsec_'.length)
  const { rows } = await stack.store.pool.query<{ text: string }>(
    `SELECT string_agg(query_to_xml(format('SELECT * FROM %I.%I', table_schema, table_name), true, false, '')::text, ' ') AS text
     FROM information_schema.tables WHERE table_schema IN ('subscriptions', 'audit')`,
  )
  const shown = `${dispatcher.output()}\n${rows[0]?.text}\n${JSON.stringify(await stack.attempts())}`
  for (const part of [key, Buffer.from(key, 'base64').toString('hex'), sealKeyText]) {
    expect(shown.includes(part)).toBe(false)
  }
})

test.concurrent('without a key it does not start, and says how to get one', async () => {
  await using stack = await ownStack()
  await using keyless = start(stack, 'keyless', { WEBHOOK_KEY: '' })
  expect(await keyless.exited).toBe(2)
  expect(keyless.output()).toContain('openssl rand -base64 32')
})
