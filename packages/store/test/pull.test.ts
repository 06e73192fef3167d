/** Events go out under leases, and come back until they are settled. */
import { expect, test } from 'vitest'
import {
  pauseSubscription,
  removeSubscription,
  resumeSubscription,
  seekSubscription,
} from '../src/subscriptions/control.ts'
import { pull } from '../src/subscriptions/pull.ts'
import { putSubscription } from '../src/subscriptions/put.ts'
import {
  add,
  attemptsOf,
  by,
  configOf,
  floorOf,
  get,
  oneSession,
  runOut,
  say,
  seqsOf,
  statusOf,
  subscribed,
  tokensOf,
  upTo,
} from './subscriptions.ts'

test('two workers share a topic, and the floor follows what is settled without a gap', async () => {
  await using store = await subscribed(10)
  const [one, two] = [await get(store, 4), await get(store, 100)]
  expect(seqsOf(one)).toEqual(upTo(4))
  expect(seqsOf(two)).toEqual(upTo(10, 5))
  expect(one).toMatchObject({ more: true, blockedBy: [], nextDueAt: null })
  expect(two.items[0]).toMatchObject({ attempt: 1, event: { topic: 'orders', eventId: 'e5', payload: '{}' } })
  expect(await statusOf(store)).toMatchObject({ lag: 10, outstanding: 10, retrying: 0, lagIsBound: false })
  expect(await say(store, 'ack', [two.grant])).toEqual(['done'])
  expect(await floorOf(store)).toBe(0)
  expect(await say(store, 'ack', tokensOf(one).slice(1))).toEqual(['done', 'done', 'done'])
  expect(await floorOf(store)).toBe(0)
  expect(await say(store, 'ack', tokensOf(one).slice(0, 1))).toEqual(['done'])
  expect(await floorOf(store)).toBe(10)
  expect(await statusOf(store)).toMatchObject({ lag: 0, outstanding: 0, oldestUnsettledAt: null })
  expect(await get(store, 4)).toMatchObject({ grant: null, leaseUntil: null, items: [], more: false })
  await add(store, 'orders', 1)
  expect(seqsOf(await get(store, 4))).toEqual([11])
})

test('a late ack counts while nobody else was given the event, and is lost afterwards', async () => {
  await using store = await subscribed(3)
  const late = await get(store, 3)
  await runOut(store)
  expect(await say(store, 'ack', tokensOf(late).slice(0, 1))).toEqual(['done'])
  const again = await get(store, 3)
  expect([seqsOf(again), attemptsOf(again)]).toEqual([
    [2, 3],
    [2, 2],
  ])
  const floor = await floorOf(store)
  expect(await say(store, 'ack', tokensOf(late))).toEqual(['already_settled', 'lease_lost', 'lease_lost'])
  for (const action of ['nak', 'extend', 'term', 'release'] as const) {
    expect(await say(store, action, tokensOf(late).slice(1))).toEqual(['lease_lost', 'lease_lost'])
  }
  expect(await say(store, 'ack', [late.grant])).toEqual(['lease_lost'])
  expect(await floorOf(store)).toBe(floor)
  expect(await say(store, 'ack', [again.grant, again.grant])).toEqual(['done', 'done'])
  expect(await floorOf(store)).toBe(3)
  expect(await say(store, 'ack', [again.grant, ...tokensOf(again)])).toEqual(Array(3).fill('already_settled'))
})

test('what is given back comes again: at once after release, later after nak, not before its delay', async () => {
  await using store = await subscribed(4, { backoffSeconds: [60] })
  const [one, two, three, four] = tokensOf(await get(store, 4))
  expect(await say(store, 'release', [one])).toEqual(['done'])
  expect(await say(store, 'nak', [two], { delaySeconds: 0 })).toEqual(['done'])
  expect(await say(store, 'nak', [three])).toEqual(['done'])
  expect(await say(store, 'nak', [one, two, three])).toEqual(Array(3).fill('already_settled'))
  expect(await statusOf(store)).toMatchObject({ outstanding: 1, retrying: 3 })
  const again = await get(store, 9)
  expect([seqsOf(again), attemptsOf(again)]).toEqual([
    [1, 2],
    [1, 2], // a release is no attempt
  ])
  expect(await say(store, 'ack', [again.grant, four])).toEqual(['done', 'done'])
  const { nextDueAt } = await get(store, 9)
  expect(Date.parse(nextDueAt ?? '') - Date.now()).toBeGreaterThan(30_000)
  expect(await floorOf(store)).toBe(2)
  await runOut(store)
  expect(attemptsOf(await get(store, 9))).toEqual([2])
})

test('an extended lease runs longer, of a batch or of one event of it', async () => {
  await using store = await subscribed(3, { leaseSeconds: 10 })
  const batch = await get(store, 3)
  const due = async () =>
    (
      await store.pool.query<{ seq: string; s: number }>(
        `SELECT lower(open) AS seq, round(extract(epoch FROM due_at - clock_timestamp()))::integer AS s
         FROM subscriptions.exceptions ORDER BY 1`,
      )
    ).rows
  expect(await say(store, 'extend', [tokensOf(batch)[1]], { delaySeconds: 600 })).toEqual(['done'])
  const [rest, one] = await due()
  expect([rest?.seq, one?.seq]).toEqual(['1', '2'])
  expect(one?.s).toBeGreaterThan(500)
  expect(rest?.s).toBeLessThan(11)
  expect(await say(store, 'extend', [batch.grant], { delaySeconds: 3_600 })).toEqual(['done'])
  for (const { s } of await due()) expect(s).toBeGreaterThan(3_000)
  expect(await say(store, 'ack', tokensOf(batch))).toEqual(['done', 'done', 'done'])
})

test('an answer has as many bytes as may be, and one event in any case', async () => {
  await using store = await subscribed(4, {}, { payload: `'"' || repeat('x', 998) || '"'` })
  expect(seqsOf(await get(store, 9, { bytesMax: 10 }))).toEqual([1])
  const two = await get(store, 9, { bytesMax: 2_999 })
  expect([seqsOf(two), two.more]).toEqual([[2, 3], true])
  await runOut(store)
  expect(seqsOf(await get(store, 9, { bytesMax: 2_000 }))).toEqual([1, 2])
  expect(seqsOf(await get(store, 9))).toEqual([3, 4])
})

test('no more is outstanding than may be, and retries count', async () => {
  await using store = await subscribed(10, { outstandingMax: 3 })
  const first = await get(store, 9)
  expect([seqsOf(first), first.more]).toEqual([upTo(3), true])
  expect(seqsOf(await get(store, 9))).toEqual([])
  await say(store, 'nak', [first.grant], { delaySeconds: 60 })
  expect(seqsOf(await get(store, 9))).toEqual([])
  await runOut(store)
  expect(seqsOf(await get(store, 2))).toEqual([1, 2])
  const [, second] = tokensOf(await get(store, 9))
  expect(second).toBeUndefined()
})

test('tokens that are none, or of another subscription, are unknown', async () => {
  await using store = await subscribed(5)
  await putSubscription(store, configOf({ name: 'other' }), by)
  const { items, grant } = await get(store, 1)
  const [token = ''] = items.map((item) => item.token)
  const other = await get(store, 1, { name: 'other' })
  const notHandedOut = token.replace(/1$/, '4')
  const broken = ['', 'x', `${token}0000000000000000`, `${grant}.`, `${token}.1`, `.${token}`]
  for (const bad of [...broken, notHandedOut, other.grant, ...tokensOf(other)]) {
    expect(await say(store, 'ack', [bad]), String(bad)).toEqual(['unknown'])
  }
  const [, subscription, generation] = token.split('.')
  const later = token.replace(`.${subscription}.${generation}.`, `.${subscription}.9.`)
  const ofNoTopic = token.replace(/\.\d+\.\d+\.\d+$/, '.77.1.1')
  expect(await say(store, 'ack', [later, ofNoTopic])).toEqual(['unknown', 'unknown'])
  expect(await floorOf(store)).toBe(0)
  expect(await say(store, 'ack', [token])).toEqual(['done'])
})

test('a grant that nobody was given is unknown, of a batch, of an event, and of a generation that is over', async () => {
  await using store = await subscribed(6, { backoffSeconds: [] })
  const own = await get(store, 2)
  const [token = ''] = tokensOf(own)
  const forged = [own.grant ?? '', token].flatMap((text) => [
    `AAAAAAAAAAAAAAAAAAAAAA${text.slice(22)}`,
    `${text.startsWith('B') ? 'C' : 'B'}${text.slice(1)}`, // the random part of it is another
    `${text.slice(0, 18)}${text.charAt(18) === 'x' ? 'y' : 'x'}${text.slice(19)}`,
  ])
  const unknown = forged.map(() => 'unknown')
  expect(await say(store, 'ack', forged)).toEqual(unknown)
  expect(await statusOf(store)).toMatchObject({ outstanding: 2 })
  expect(await say(store, 'ack', [own.grant, ...tokensOf(own)])).toEqual([
    'done',
    'already_settled',
    'already_settled',
  ])
  expect(await say(store, 'ack', forged)).toEqual(unknown)
  expect(await say(store, 'ack', [own.grant])).toEqual(['already_settled'])
  // Of many that are lost or settled each says which it is.
  const lost = await get(store, 2)
  await runOut(store)
  const again = await get(store, 2)
  expect(seqsOf(again)).toEqual(seqsOf(lost))
  const all = [lost.grant, own.grant, forged[0], ...tokensOf(lost), lost.grant]
  expect(await say(store, 'ack', all)).toEqual([
    'lease_lost',
    'already_settled',
    'unknown',
    ...Array(3).fill('lease_lost'),
  ])
  expect(await say(store, 'ack', [again.grant])).toEqual(['done'])
  await seekSubscription(store, { name: 'mailer', topics: 'orders', from: 'start', dryRun: false }, by)
  expect(await say(store, 'ack', [own.grant, ...forged])).toEqual(['lease_lost', ...unknown])
})

test('a paused subscription hands nothing out, and takes what is settled', async () => {
  await using store = await subscribed(3)
  const { grant } = await get(store, 1)
  expect(await pauseSubscription(store, 'mailer', by)).toMatchObject({ state: 'paused' })
  expect(await pull(store, { name: 'mailer', max: 1, bytesMax: 1_000 })).toBe('paused')
  expect(await say(store, 'ack', [grant])).toEqual(['done'])
  expect(await resumeSubscription(store, 'mailer', by)).toMatchObject({ state: 'active' })
  expect(seqsOf(await get(store, 9))).toEqual([2, 3])
})

test('a subscription that is removed is unknown, and its tokens too where another takes its name', async () => {
  await using store = await subscribed(3)
  const { grant } = await get(store, 1)
  expect(await removeSubscription(store, 'mailer', by)).toBe('removed')
  expect(await removeSubscription(store, 'mailer', by)).toBe('unknown')
  expect(await pauseSubscription(store, 'mailer', by)).toBe('unknown')
  expect(await pull(store, { name: 'mailer', max: 1, bytesMax: 1_000 })).toBe('unknown')
  expect(await say(store, 'ack', [grant])).toEqual(['unknown'])
  await putSubscription(store, configOf(), by)
  expect(await say(store, 'ack', [grant])).toEqual(['unknown'])
  expect(seqsOf(await get(store, 9))).toEqual(upTo(3))
  for (const table of ['members', 'cursors', 'states', 'exceptions']) {
    const { rows } = await store.pool.query(`SELECT count(DISTINCT subscription) FROM subscriptions.${table}`)
    expect(rows, table).toEqual([{ count: '1' }])
  }
})

test('a batch of 500 is worked off with few rows written', async () => {
  await using store = await subscribed(5_000)
  await using session = oneSession(store)
  // Of this one session, which is told to count at once.
  const written = async () => {
    await session.pool.query('SELECT pg_stat_force_next_flush()')
    const { rows } = await session.pool.query<{ rows: string }>(
      `SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) AS rows FROM pg_stat_user_tables WHERE schemaname = 'subscriptions'`,
    )
    return Number(rows[0]?.rows)
  }
  const before = await written()
  for (let batch = 0; batch < 10; batch += 1) {
    const { grant, items } = await get(session, 500)
    expect(items).toHaveLength(500)
    expect(await say(session, 'ack', [grant])).toEqual(['done'])
  }
  const rows = (await written()) - before
  expect(rows).toBeGreaterThan(10) // otherwise nothing was counted
  expect(rows / 5_000).toBeLessThanOrEqual(0.02)
})
