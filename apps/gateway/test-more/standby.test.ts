/** Reads from a standby of PostgreSQL that really streams. Its replay is paused where it is to lag. */
import { connectStore } from '@sekali/store/connect'
import { eventually } from '@sekali/testkit/eventually'
import { beginEpoch } from '@sekali/testkit/fork-log'
import { ownPrefix } from '@sekali/testkit/own'
import { quiet } from '@sekali/testkit/quiet'
import { ownReplicated } from '@sekali/testkit/replicated'
import { event, upTo } from '@sekali/testkit/sample'
import { parseScrape } from '@sekali/testkit/scrape'
import { storeEvents } from '@sekali/testkit/store-events'
import { expect, inject, test } from 'vitest'
import { diagnose, eventBody, post } from '../test/gateway.ts'
import { nextOf } from '../test/links.ts'
import { lines, read } from '../test/log-of-orders.ts'
import { seqsOf } from '../test/own-tails.ts'
import { serveGateway } from '../test/served-gateway.ts'
import { openTail } from '../test/sse.ts'

const check = 'postgres.standby'

/** A gateway without consumers, and its standby, which has 20 events. */
async function ownReads(lagMsMax: number, { knowsBoth = false } = {}) {
  await using stack = new AsyncDisposableStack()
  const pair = stack.use(await ownReplicated())
  const parts = { redisUrl: inject('redisUrl'), prefix: ownPrefix(), standby: { lagMsMax, lookMs: 300 } }
  const databaseUrl = knowsBoth ? pair.url : pair.primary.url
  const gateway = stack.use(await serveGateway({ ...parts, databaseUrl, readUrl: pair.standby.url }))
  const standby = stack.use(connectStore({ url: pair.standby.url, poolMax: 1, name: 'test' }, quiet))
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${gateway.url}${path}`, { headers })
  const store = (from: number, to: number) =>
    storeEvents(
      gateway.store,
      upTo(to, from).map((seq) => event({ eventId: `e${seq}` })),
    )
  const finding = async () => (await diagnose(gateway)).findings.find((one) => one.check === check)
  const untilUsed = () => eventually(async () => expect(await finding()).toMatchObject({ level: 'ok' }))
  await store(1, 20)
  await pair.caughtUp()
  await untilUsed()
  const parted = stack.move()
  return {
    pair,
    gateway,
    get,
    store,
    finding,
    untilUsed,
    seqs: async (query: string) => {
      const found = (await (await get(`/events?${query}`)).json()) as { readonly seq: number }[]
      return found.map(({ seq }) => seq)
    },
    pause: async () => {
      await standby.pool.query('SELECT pg_wal_replay_pause()')
      await eventually(async () => {
        const { rows } = await standby.pool.query('SELECT pg_get_wal_replay_pause_state() AS state')
        expect(rows).toEqual([{ state: 'paused' }])
      })
    },
    resume: () => standby.pool.query('SELECT pg_wal_replay_resume()'),
    [Symbol.asyncDispose]: () => parted.disposeAsync(),
  }
}

test('pages, replays and the history of tails come from a standby, and what it lacks from the primary [P5]', async () => {
  await using own = await ownReads(3_600_000)
  const { get, seqs, store } = own
  const path = '/events?topic=orders&limit=15&order=asc&source=shop'
  const first = await get(path)
  await own.pause()
  await store(21, 30)

  expect(await seqs('topic=orders&limit=3')).toEqual([20, 19, 18])
  expect(await seqs('topic=orders&source=shop&limit=3')).toEqual([20, 19, 18])
  // Who has read all of the standby waits for it, and who has read more does not go back.
  expect(await seqs('topic=orders&after=20')).toEqual([])
  expect(await seqs('topic=orders&after=25')).toEqual(upTo(30, 26))
  expect(await seqs('topic=orders&after=25&source=shop')).toEqual(upTo(30, 26))
  expect(await seqs('topic=orders&before=28&limit=3')).toEqual([27, 26, 25])
  expect(await seqs('topic=orders&before=28&limit=3&source=shop')).toEqual([27, 26, 25])
  const second = (await (await get(nextOf(path, first) ?? '')).json()) as { readonly seq: number }[]
  expect(second.map(({ seq }) => seq)).toEqual(upTo(20, 16))

  expect(await seqs('event_id=e20')).toEqual([20])
  expect(await seqs('event_id=e25')).toEqual([25])
  expect((await get('/events/orders/e25')).status).toBe(200)
  expect(read(await (await get('/events?topic=orders', lines)).text()).map(({ seq }) => seq)).toEqual(
    upTo(30),
  )
  using tail = openTail(own.gateway.url, 'topic=orders&from=start')
  await eventually(() => expect(seqsOf(tail)).toEqual(upTo(30)))

  // An epoch that the standby does not know is no reason to say cursor_ahead.
  await beginEpoch(own.gateway.store, 'orders')
  await store(31, 32)
  expect(await seqs('topic=orders&after=2.30')).toEqual([31, 32])
  expect((await get('/events?topic=orders&after=3.30')).status).toBe(422)

  // Nor is what it lacks in flight once the primary has it.
  const publish = () => fetch(`${own.gateway.url}/publish`, post(eventBody({ event_id: 'e33' })))
  await eventually(async () => expect((await publish()).status).toBe(200))
  expect(await (await get('/events/orders/e33')).json()).toMatchObject({ code: 'event_in_flight' })
  await store(33, 33)
  expect(await (await get('/events/orders/e33')).json()).toMatchObject({ seq: 33 })
  expect(await own.finding()).toMatchObject({
    level: 'ok',
    message: expect.stringMatching(/\d s \(\d+ kB\) behind/),
  })
})

test('a standby that lags too much or is away is not read from, and that is said, until it is well again', async () => {
  await using own = await ownReads(1_000)
  const { get, seqs, store, gateway } = own
  const samples = async () => parseScrape(await gateway.metrics.scrape())
  expect((await samples()).get('sekali_standby_used')).toBe(1)
  await own.pause()
  await store(21, 30)
  await eventually(async () => {
    expect(await own.finding()).toMatchObject({
      level: 'warning',
      message: expect.stringMatching(/^reads come from the primary: it is \d+\.\d s \(\d+ kB\) behind$/),
    })
  })
  expect(await seqs('topic=orders&limit=2')).toEqual([30, 29])
  const ready = await get('/readyz')
  expect(await ready.json()).toMatchObject({
    warnings: [expect.stringMatching(/^Reads come from the primary, not from the standby: it is .* behind$/)],
  })
  const lagging = await samples()
  expect(lagging.get('sekali_standby_used')).toBe(0)
  expect(lagging.get('sekali_standby_lag_seconds')).toBeGreaterThan(1)
  expect(lagging.get('sekali_standby_lag_bytes')).toBeGreaterThan(0)
  await own.resume()
  await own.untilUsed()

  await own.pair.standby.kill()
  expect(await seqs('topic=orders&limit=2')).toEqual([30, 29])
  await eventually(async () => {
    expect(await own.finding()).toMatchObject({ message: expect.stringContaining('it cannot be read') })
  })
  expect((await samples()).get('sekali_standby_lag_seconds')).toBeUndefined()
  await own.pair.standby.start()
  await own.untilUsed()
})

test('while the primary is away pages come from the standby, and go on once that is promoted', async () => {
  await using own = await ownReads(10_000, { knowsBoth: true })
  await own.pair.primary.kill()
  expect(await own.seqs('topic=orders&limit=2')).toEqual([20, 19])
  await own.pair.promote()
  await eventually(() => own.store(21, 22), 30_000)
  await own.untilUsed()
  expect(await own.seqs('topic=orders&limit=2')).toEqual([22, 21])
})

test('a standby that is promoted while the primary goes on is not read from: it may have other events', async () => {
  await using own = await ownReads(3_600_000)
  await own.pair.promote()
  await eventually(async () => {
    expect(await own.finding()).toMatchObject({
      level: 'warning',
      message: 'reads come from the primary: it is on timeline 2, and the primary on 1',
    })
  })
  await own.store(21, 22)
  expect(await own.seqs('topic=orders&limit=2')).toEqual([22, 21])
})
