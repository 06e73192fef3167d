/** Endpoints do not delay each other, order is kept where it is asked for, and busy endpoints are left alone. */
import { setTimeout as pause } from 'node:timers/promises'
import { pauseSubscription, resumeSubscription } from '@sekali/store/control-subscription'
import { eventually } from '@sekali/testkit/eventually'
import { upTo } from '@sekali/testkit/sample'
import { expect, test } from 'vitest'
import { isMine } from '../src/shares.ts'
import { startReceiver, status } from '../test/receiver.ts'
import { ownStack } from '../test/stack.ts'

const by = { actor: 'tester' }

test('one endpoint that hangs keeps no other waiting, also where it has all that may be on its way', async () => {
  await using stack = await ownStack()
  await using hangs = await startReceiver(() => undefined)
  await using answers = await startReceiver()
  await stack.push('hangs', hangs.url, { timeoutSeconds: 60 })
  await stack.push('answers', answers.url)
  await stack.add(200)
  await using _dispatcher = stack.dispatch({ sendingMax: 1 })
  await eventually(() => expect(hangs.open()).toBeGreaterThan(0))
  await eventually(() => expect(new Set(answers.received.map(({ seq }) => seq)).size).toBe(200))
})

test('retries that hang leave room for what is new', async () => {
  await using stack = await ownStack()
  await using receiver = await startReceiver((request, response) => {
    if (request.seq <= 8 || request.seq > 12) status(200)(request, response)
    else if (request.attempt === 1) status(500)(request, response)
  })
  await stack.push('hook', receiver.url, { concurrency: 4, retrySeconds: [1], timeoutSeconds: 60 })
  await stack.add(8)
  await using _dispatcher = stack.dispatch({ judge: { degradeAfter: 100 } })
  await eventually(async () => expect(await stack.status()).toMatchObject({ lag: 0 })) // it may send four at once
  await stack.add(4)
  await eventually(() => expect(receiver.received.filter(({ attempt }) => attempt === 2).length).toBe(1))
  await stack.add(20)
  await eventually(() => expect(receiver.received.filter(({ seq }) => seq > 12).length).toBe(20))
  // A quarter of four is for retries: the other three of them wait behind the one that hangs.
  expect(receiver.received.filter(({ attempt }) => attempt === 2).length).toBe(1)
})

test('with order source the events of one source arrive one after the other, by seq, retries included', async () => {
  await using stack = await ownStack()
  const open = new Map<string, number>()
  const overlaps: string[] = []
  await using receiver = await startReceiver((request, response) => {
    const source = String(request.headers['sekali-source'])
    if (open.has(source)) overlaps.push(source)
    open.set(source, request.seq)
    response.once('close', () => open.delete(source))
    setImmediate(() => status(request.seq % 7 === 3 && request.attempt === 1 ? 500 : 200)(request, response))
  })
  await stack.push('hook', receiver.url, { order: 'source' })
  await stack.add(60, (n) => ({ source: `s${n % 4}` }))
  await using _dispatcher = stack.dispatch()
  await eventually(async () => expect(await stack.status()).toMatchObject({ lag: 0 }), 30_000)
  expect(overlaps).toEqual([])
  for (const source of ['s0', 's1', 's2', 's3']) {
    const seqs = receiver.received
      .filter(({ headers }) => headers['sekali-source'] === source)
      .map(({ seq }) => seq)
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b))
    expect(new Set(seqs).size).toBe(15)
  }
})

test('with order topic one event of a topic is on its way at a time', async () => {
  await using stack = await ownStack()
  await using receiver = await startReceiver((request, response) =>
    status(request.seq === 5 && request.attempt === 1 ? 500 : 200)(request, response),
  )
  await stack.push('hook', receiver.url, { order: 'topic' })
  await stack.add(20)
  await using _dispatcher = stack.dispatch()
  await eventually(async () => expect(await stack.status()).toMatchObject({ lag: 0 }))
  expect(receiver.openMax()).toBe(1)
  expect(receiver.received.map(({ seq }) => seq)).toEqual([...upTo(5), ...upTo(20, 5)])
})

test('a busy endpoint is left alone for as long as it asks, and then begins slowly', async () => {
  await using stack = await ownStack()
  let isBusy = false
  const third = Promise.withResolvers<void>()
  let [come, answered] = [0, 0]
  const answeredBefore: number[] = []
  await using receiver = await startReceiver(async (request, response) => {
    if (isBusy) return status(429, { 'Retry-After': '2' })(request, response)
    come += 1
    answeredBefore.push(answered)
    if (come === 3) third.resolve()
    await (come === 2 ? third.promise : pause(10))
    answered += 1
    status(200)(request, response)
  })
  await stack.push('hook', receiver.url, { concurrency: 8, retrySeconds: [1, 1, 1, 1] })
  await stack.add(60)
  await using _dispatcher = stack.dispatch()
  await eventually(() => expect(receiver.received.length).toBe(60))
  // One alone, then two at once: the second waits for the answer to the first, and is not answered before the third comes.
  expect(answeredBefore.slice(0, 3)).toEqual([0, 1, 1])
  isBusy = true
  await stack.add(1)
  await eventually(async () => expect((await stack.endpoint()).heldUntil).not.toBeNull())
  const asked = receiver.received.length
  const heldAt = receiver.received.at(-1)?.atMs ?? 0
  isBusy = false
  await stack.add(30)
  await eventually(() => expect(receiver.received.length).toBe(asked + 31))
  const [again, next] = receiver.received.slice(asked).map(({ atMs }) => atMs) as [number, number]
  // The step of the endpoint is one second, and it asked for two.
  expect(again - heldAt).toBeGreaterThanOrEqual(1_900)
  expect(next - again).toBeGreaterThanOrEqual(9)
})

test('a paused endpoint gets nothing, and all of it once it is resumed', async () => {
  await using stack = await ownStack()
  await using receiver = await startReceiver()
  await stack.push('hook', receiver.url)
  await pauseSubscription(stack.store, 'hook', by)
  await stack.add(50)
  await using _dispatcher = stack.dispatch()
  await stack.push('other', receiver.url, { concurrency: 1 })
  await eventually(() => expect(receiver.received.length).toBe(50)) // of the other one
  expect(await stack.attempts()).toEqual([])
  await resumeSubscription(stack.store, 'hook', by)
  await eventually(async () => expect(await stack.status()).toMatchObject({ lag: 0 }))
  expect(receiver.received.length).toBe(100)
})

test('no transaction is open, and nothing is locked, while requests are on their way', async () => {
  await using stack = await ownStack()
  await using hangs = await startReceiver(() => undefined)
  await stack.push('hook', hangs.url, { timeoutSeconds: 60 })
  await stack.add(1)
  await using _dispatcher = stack.dispatch()
  await eventually(() => expect(hangs.open()).toBe(1))
  await eventually(async () => {
    const { rows } = await stack.store.pool.query(
      `SELECT query FROM pg_stat_activity
       WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()`,
    )
    expect(rows).toEqual([])
  }, 3_000)
  await stack.store.pool.query('SELECT FROM subscriptions.subscriptions FOR UPDATE NOWAIT')
  expect(hangs.open()).toBe(1)
})

test('a rate is a rate', async () => {
  await using stack = await ownStack()
  await using receiver = await startReceiver()
  await stack.push('hook', receiver.url, { ratePerSecond: 20 })
  await stack.add(30)
  await using _dispatcher = stack.dispatch()
  await eventually(() => expect(receiver.received.length).toBe(30))
  const at = receiver.received.map(({ atMs }) => atMs)
  // In no second more than the rate and the one that opens it.
  for (const [n, ms] of at.entries()) {
    expect(at.filter((other) => other >= ms && other < ms + 950).length, `from ${n} on`).toBeLessThanOrEqual(
      21,
    )
  }
})

test('two dispatchers share the endpoints, and one that leaves hands over what it had', async () => {
  await using stack = await ownStack()
  await using receiver = await startReceiver()
  for (let n = 0; n < 6; n++) await stack.push(`h${n}`, receiver.url)
  await using one = stack.dispatch()
  await using _two = stack.dispatch()
  await stack.add(20)
  await eventually(() => expect(receiver.received.length).toBe(120))
  await one.stop()
  await stack.add(20)
  await eventually(() => expect(receiver.received.length).toBe(240))
  for (let n = 0; n < 6; n++) {
    await eventually(async () => expect(await stack.status(`h${n}`)).toMatchObject({ lag: 0, dead: 0 }))
  }
})

test('each endpoint is one dispatcher’s, and only those of one that leaves move', () => {
  const all = ['a', 'b', 'c', 'd']
  const ownerOf = (dispatchers: string[], id: number) =>
    dispatchers.filter((one) => isMine(one, dispatchers, id))
  const ids = upTo(200)
  const owners = ids.map((id) => ownerOf(all, id))
  expect(owners.every((of) => of.length === 1)).toBe(true)
  for (const one of all) expect(owners.filter(([of]) => of === one).length).toBeGreaterThan(20)
  for (const id of ids) {
    const [before] = ownerOf(all, id)
    if (before !== 'a') expect(ownerOf(['b', 'c', 'd'], id)).toEqual([before])
  }
})
