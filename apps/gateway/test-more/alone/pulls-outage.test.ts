/** Servers, gateways and workers that fail while events are with workers. These tests break theirs. */
import { setTimeout as sleep } from 'node:timers/promises'
import { startGateway } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { ownPostgres } from '@sekali/testkit/servers'
import { expect, inject, test } from 'vitest'
import { eventBody, post } from '../../test/gateway.ts'
import { callsOf, type PulledBody } from '../../test/own-subscription.ts'
import { ownSystem, type System } from '../../test/system.ts'

async function publish(system: System, count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, n) =>
    eventBody({ event_id: `e${n}`, source: `s${n % 3}` }),
  )
  const answer = await fetch(`${system.url}/publish`, post(`[${events.join(',')}]`, { Prefer: 'wait=20' }))
  expect(answer.status).toBe(200)
}

test('PostgreSQL is away for more than ten leases: nothing is dead, and no attempt is counted [P9]', async () => {
  await using postgres = await ownPostgres()
  await using system = await ownSystem(inject('redisUrl'), postgres.url)
  const calls = callsOf(system.url)
  await publish(system, 20)
  await calls.put('mailer', { topics: 'orders', lease_s: 1, deliveries_max: 2, backoff_s: [] })
  const before = await calls.pulled('mailer')
  expect(before.items.map(({ attempt }) => attempt)).toEqual(Array(20).fill(1))
  await postgres.kill()
  const refused = await eventually(async () => {
    const answer = await calls.pull('mailer', { wait_s: 1 })
    expect(answer.status).toBe(503)
    return answer
  })
  expect(refused.headers.get('retry-after')).toMatch(/^[123]$/)
  // A worker goes on asking and settling meanwhile, for eleven leases.
  const until = performance.now() + 11_000
  while (performance.now() < until) {
    const answers = [
      await calls.pull('mailer', { wait_s: 1 }),
      await calls.send('POST', '/mailer/settle', { items: [{ token: before.token, do: 'ack' }] }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([503, 503])
    await sleep(250)
  }
  await postgres.start()
  const again = await eventually(async () => {
    const answer = await calls.pull('mailer', { wait_s: 20 })
    expect(answer.status).toBe(200)
    return (await answer.json()) as PulledBody
  }, 60_000)
  expect(await calls.show('mailer')).toMatchObject({ dead: 0, lag: 20 })
  // The lease that ended while PostgreSQL was away began again when it was back: it ran out once, with PostgreSQL.
  expect(new Set(again.items.map(({ attempt }) => attempt))).toEqual(new Set([2]))
  expect(await calls.settle('mailer', [{ token: again.token, do: 'ack' }])).toEqual(['done'])
  await eventually(async () => expect(await calls.show('mailer')).toMatchObject({ dead: 0, lag: 0 }))
})

test('a gateway that is told to leave, or killed, while workers wait loses nothing and hands nothing out twice', async () => {
  await using system = await ownSystem()
  const calls = callsOf(system.url)
  await calls.put('mailer', { topics: 'orders', lease_s: 2, backoff_s: [] })
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const gateway = await startGateway(system.env)
    const others = callsOf(gateway.url)
    const waiting = Array.from({ length: 50 }, (_, n) =>
      others.pull('mailer', { wait_s: 30, worker: `w-${n}` }).then(
        ({ status }) => status,
        () => 'cut',
      ),
    )
    await eventually(async () => expect((await others.send('GET', '/mailer')).status).toBe(200))
    gateway.signal(signal)
    const statuses = await Promise.all(waiting)
    if (signal === 'SIGTERM') {
      expect(new Set(statuses.filter((one) => one !== 'cut'))).toEqual(new Set([204]))
      expect(await gateway.exited).toBe(0)
    } else expect(new Set(statuses)).toEqual(new Set(['cut']))
    await gateway[Symbol.asyncDispose]()
  }
  await publish(system, 30)
  const { items } = (await (await calls.pull('mailer', { wait_s: 20 })).json()) as PulledBody
  expect(items.map(({ event: { seq }, attempt }) => [seq, attempt])).toEqual(
    Array.from({ length: 30 }, (_, n) => [n + 1, 1]),
  )
})

test('a worker that stands still past its lease: another gets its events, and its own settle is too late', async () => {
  await using system = await ownSystem()
  const calls = callsOf(system.url)
  await publish(system, 3)
  await calls.put('mailer', { topics: 'orders', lease_s: 1, backoff_s: [] })
  const stopped = await calls.pulled('mailer', { worker: 'stopped' })
  await eventually(() => expect(Date.now()).toBeGreaterThan(Date.parse(stopped.lease_until)))
  // Nobody else has them: a late settle is taken.
  const [first, ...rest] = stopped.items
  expect(await calls.settle('mailer', [{ token: first?.token, do: 'ack' }])).toEqual(['done'])
  const other = (await (await calls.pull('mailer', { wait_s: 20, worker: 'other' })).json()) as PulledBody
  expect(other.items.map(({ event: { seq }, attempt }) => [seq, attempt])).toEqual([
    [2, 2],
    [3, 2],
  ])
  const late = rest.map(({ token }) => ({ token, do: 'ack' }))
  expect(await calls.settle('mailer', late)).toEqual(['lease_lost', 'lease_lost'])
  expect(await calls.settle('mailer', [{ token: stopped.token, do: 'ack' }])).toEqual(['lease_lost'])
  expect(await calls.show('mailer')).toMatchObject({ lag: 2 })
  expect(await calls.settle('mailer', [{ token: other.token, do: 'ack' }])).toEqual(['done'])
})
