/** A thousand workers that wait: what one event is for them, and what they cost while nothing comes. */
import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { startApp } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { event } from '@sekali/testkit/sample'
import { expect, test } from 'vitest'
import { ownSubscriptions, type PulledBody } from '../../test/own-subscription.ts'

const workers = 1_000

/** fetch has no room for a thousand at a time. */
function openPulls(url: string, name: string, agent: Agent) {
  const { port } = new URL(url)
  const answers: { readonly status: number; readonly body: string; readonly at: number }[] = []
  const pull = (worker: number) => {
    const path = `/subscriptions/${name}/pull`
    const headers = { 'Content-Type': 'application/json' }
    const call = request({ port, method: 'POST', path, headers, agent }, async (response) => {
      const body = await text(response)
      answers.push({ status: response.statusCode ?? 0, body, at: performance.now() })
    })
    call.on('error', () => undefined)
    call.end(JSON.stringify({ max: 10, wait_s: 30, worker: `w-${worker}` }))
  }
  for (let worker = 1; worker <= workers; worker++) pull(worker)
  return { answers, pull }
}

test('a thousand wait and one event comes: one delivery, soon, and a handful of queries', async () => {
  await using own = await ownSubscriptions()
  await using _consumer = startApp('consumer/src/main.ts', own.env)
  await own.put('mailer', { topics: 'orders.>' })
  const agent = new Agent({ keepAlive: true, maxSockets: workers + 10 })
  using _agent = { [Symbol.dispose]: () => agent.destroy() }
  const { answers, pull } = openPulls(own.url, 'mailer', agent)
  await eventually(() => expect(own.connections.tailsCount()).toBe(workers), 30_000)
  let queries = 0
  own.store.pool.on('acquire', () => queries++)
  const took: number[] = []
  for (let n = 1; n <= 10; n++) {
    queries = 0
    const stored = eventually(async () => {
      const { rows } = await own.store.pool.query('SELECT sum(head) AS head FROM topics')
      expect(Number(rows[0]?.head)).toBe(n)
      return performance.now()
    })
    expect(
      (await own.appender.appendAll([event({ topic: 'orders.eu', eventId: `e${n}` })])).failure,
    ).toBeUndefined()
    const storedAt = await stored
    await eventually(() => expect(answers.length).toBe(n))
    took.push((answers[n - 1]?.at ?? Number.NaN) - storedAt)
    const { items } = JSON.parse(answers[n - 1]?.body ?? '') as PulledBody
    expect(items.map(({ event: { seq } }) => seq)).toEqual([n])
    pull(workers + n)
    await eventually(() => expect(own.connections.tailsCount()).toBe(workers))
    expect(answers.length).toBe(n)
  }
  expect(await own.show('mailer')).toMatchObject({ outstanding: 10 })
  // The best of ten: other processes of the machine have their turns, too.
  expect(Math.min(...took)).toBeLessThan(50)
  expect(queries).toBeLessThan(100)
})

test('a thousand that wait ask PostgreSQL no more often than one, and cost next to nothing', async () => {
  await using own = await ownSubscriptions()
  await own.put('mailer', { topics: 'orders.>' })
  let queries = 0
  own.store.pool.on('acquire', () => queries++)
  const agent = new Agent({ keepAlive: true, maxSockets: workers + 10 })
  using _agent = { [Symbol.dispose]: () => agent.destroy() }
  const { answers } = openPulls(own.url, 'mailer', agent)
  await eventually(() => expect(own.connections.tailsCount()).toBe(workers), 30_000)
  const arrived = queries
  expect(arrived).toBeLessThan(workers / 4)
  const since = performance.now()
  await eventually(() => expect(queries - arrived).toBeGreaterThan(40), 60_000)
  // Heads twice a second, all subscriptions once, and this one every three seconds.
  expect((queries - arrived) / ((performance.now() - since) / 1_000)).toBeLessThan(8)
  expect(answers.filter(({ status }) => status !== 204)).toEqual([])
})
