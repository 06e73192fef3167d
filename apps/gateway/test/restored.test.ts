/** What readers get through HTTP of a log that was restored from a backup: to go on exactly, or to be told. */
import { untilConnected } from '@sekali/broker/connect'
import { eventually } from '@sekali/testkit/eventually'
import { beginEpoch, putBack } from '@sekali/testkit/fork-log'
import { ownDatabase, ownPrefix } from '@sekali/testkit/own'
import { event, upTo } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import { expect, inject, test } from 'vitest'
import { nextOf } from './links.ts'
import { lines, read, type Shown } from './log-of-orders.ts'
import { seqsOf } from './own-tails.ts'
import { serveGateway } from './served-gateway.ts'
import { openTail } from './sse.ts'

/** A gateway in this process without consumers, and what stores, loses and forks a log as they do. */
async function ownLog() {
  const stack = new AsyncDisposableStack()
  const { url: databaseUrl } = stack.use(await ownDatabase())
  const gateway = stack.use(
    await serveGateway({ redisUrl: inject('redisUrl'), databaseUrl, prefix: ownPrefix() }),
  )
  await untilConnected(gateway.broker, 15_000)
  const { url, store } = gateway
  const get = (path: string, headers: Record<string, string> = {}) => fetch(`${url}${path}`, { headers })
  return {
    get,
    store: (topic: string, life: string, from: number, to: number) =>
      storeEvents(
        store,
        upTo(to, from).map((seq) => event({ topic, eventId: `${life}${seq}` })),
      ),
    putBack: (topic: string, seq: number) => putBack(store, topic, seq),
    beginEpoch: (topic: string) => beginEpoch(store, topic),
    tail: (query: string, lastId?: string) =>
      openTail(url, query, lastId === undefined ? {} : { 'Last-Event-ID': lastId }),
    /** The status and what the answer says beside its words. */
    async told(path: string, headers?: Record<string, string>) {
      const response = await get(path, headers)
      const {
        type: _type,
        title: _title,
        detail: _detail,
        ...told
      } = (await response.json()) as object & {
        type?: unknown
        title?: unknown
        detail?: unknown
      }
      return told
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

const time = expect.stringMatching(/^\d{4}-.*\.\d{6}Z$/)
const restored = (topic: string, forked_at: number, cursor: string, epoch = 2) => ({
  status: 409,
  code: 'log_restored',
  topic,
  epoch,
  forked_at,
  restored_at: time,
  cursor,
})

const idsOf = (events: readonly Shown[]) =>
  events.map((one) => (one as unknown as { event_id: string }).event_id)

test('500 stored, 100 more read, a restore to 500, 150 more: who read 600 is told, who read 400 goes on exactly', async () => {
  await using own = await ownLog()
  await own.store('a.b', 'x', 1, 600)
  await own.putBack('a.b', 500)
  await own.beginEpoch('a.b')
  await own.store('a.b', 'y', 501, 650)
  const whole = [...upTo(500).map((seq) => `x${seq}`), ...upTo(650, 501).map((seq) => `y${seq}`)]

  // Without an epoch it is the first.
  for (const headers of [{}, lines]) {
    expect(await own.told('/events?topic=a.b&after=600', headers)).toEqual(restored('a.b', 500, '2.500'))
    expect(await own.told('/events?topic=a.b&source=shop&after=600', headers)).toEqual(
      restored('a.b', 500, '2.500'),
    )
    expect(await own.told('/events?topic=a.*&after=a.b:600', headers)).toEqual(
      restored('a.b', 500, 'a.b:2.500'),
    )
    expect(await own.told('/events?topic=a.*&after=1.go', headers)).toEqual(restored('a.b', 500, '1.2.dw'))
    expect(await own.told('/events?topic=a.b&before=600', headers)).toEqual(restored('a.b', 500, '2.501'))
  }
  expect(await own.told('/tail?topic=a.b&last_event_id=600')).toEqual(restored('a.b', 500, '2.500'))
  expect(await own.told('/tail?topic=a.b&from=600')).toEqual(restored('a.b', 500, '2.500'))
  expect(await own.told('/tail?topic=a.*', { 'Last-Event-ID': '1.go' })).toEqual(
    restored('a.b', 500, '1.2.dw'),
  )

  for (const after of ['400', '2.400']) {
    const replayed = read(await (await own.get(`/events?topic=a.b&after=${after}`, lines)).text())
    expect(idsOf(replayed)).toEqual(whole.slice(400))
    using tail = own.tail('topic=a.b', after)
    await eventually(() => expect(tail.told.map(({ data }) => data.event_id)).toEqual(whole.slice(400)))
    expect(tail.lastId).toBe('2.650')
  }
  using ofPattern = own.tail('topic=a.*', '1.b4')
  await eventually(() => expect(ofPattern.told.map(({ data }) => data.event_id)).toEqual(whole.slice(400)))
  expect(ofPattern.lastId).toBe('1.2.i2')

  // Links lead on in the epoch of today.
  const seen: Shown[] = []
  for (let path: string | undefined = '/events?topic=a.b&after=400&limit=60'; path !== undefined; ) {
    const response = await own.get(path)
    seen.push(...((await response.json()) as Shown[]))
    path = nextOf(path, response)
    if (path !== undefined) expect(path).toContain('after=2.')
  }
  expect(idsOf(seen)).toEqual(whole.slice(400))
  expect(seen.every((one) => (one as unknown as { epoch: number }).epoch === 2)).toBe(true)
})

test('what the answer names as the cursor to go on with is taken', async () => {
  await using own = await ownLog()
  for (const topic of ['m.a', 'm.b', 'm.c']) await own.store(topic, 'x', 1, 30)
  for (const topic of ['m.a', 'm.c']) {
    await own.putBack(topic, 20)
    await own.beginEpoch(topic)
    await own.store(topic, 'y', 21, 25)
  }
  const cursorIn = async (path: string, headers?: Record<string, string>) =>
    String(((await own.told(path, headers)) as { cursor?: string }).cursor)
  for (const after of ['1.u_2.u_3.u', 'm.a:30,m.b:30,m.c:30']) {
    const cursor = await cursorIn(`/events?topic=m.*&after=${after}`)
    const page = (await (await own.get(`/events?topic=m.*&after=${cursor}`)).json()) as Shown[]
    expect(idsOf(page.filter(({ topic }) => topic !== 'm.b')).sort()).toEqual(
      ['y21', 'y22', 'y23', 'y24', 'y25'].flatMap((id) => [id, id]),
    )
    expect(page.filter(({ topic }) => topic === 'm.b')).toEqual([])
  }
  using tail = own.tail('topic=m.*', await cursorIn('/tail?topic=m.*&last_event_id=1.u_2.u_3.u'))
  await eventually(() => expect(seqsOf(tail).sort()).toEqual(upTo(25, 21).flatMap((seq) => [seq, seq])))
})

test('a tail that is open while the log forks is told, and gets nothing of what follows', async () => {
  await using own = await ownLog()
  for (const topic of ['o.a', 'o.b']) await own.store(topic, 'x', 1, 20)
  using one = own.tail('topic=o.a&from=start')
  using all = own.tail('topic=o.*&from=start')
  using other = own.tail('topic=o.b&from=start')
  await eventually(() => expect([one, all, other].map(({ told }) => told.length)).toEqual([20, 40, 20]))
  await own.putBack('o.a', 15)
  await own.beginEpoch('o.a')
  await own.store('o.a', 'y', 16, 30)
  await Promise.all([one.over, all.over])
  expect([one.text, all.text].map((text) => text.includes(': log_restored: o.a\n'))).toEqual([true, true])
  expect([one.told.length, all.told.length]).toEqual([20, 40])
  expect(await own.told(`/tail?topic=o.a&last_event_id=${one.lastId}`)).toEqual(restored('o.a', 15, '2.15'))
  expect(await own.told('/tail?topic=o.*', { 'Last-Event-ID': all.lastId })).toMatchObject(
    restored('o.a', 15, expect.any(String)),
  )
  // Another topic, and a reader that had come no further than the fork, go on.
  await own.store('o.b', 'x', 21, 21)
  await eventually(() => expect(seqsOf(other)).toEqual(upTo(21)))
  using before = own.tail('topic=o.a', '15')
  await eventually(() =>
    expect(before.told.map(({ data }) => data.event_id)).toEqual(upTo(30, 16).map((n) => `y${n}`)),
  )
})

test('a log that is only behind, as after a failover to a standby, is told to nobody', async () => {
  await using own = await ownLog()
  for (const topic of ['f.a', 'f.b']) await own.store(topic, 'x', 1, 20)
  using one = own.tail('topic=f.a&from=start')
  using all = own.tail('topic=f.*&from=start')
  await eventually(() => expect([one, all].map(({ told }) => told.length)).toEqual([20, 40]))
  await own.putBack('f.a', 12)
  using late = own.tail('topic=f.a', '20')
  using old = own.tail('topic=f.a', '10')
  expect((await old.answered).statusCode).toBe(200)
  for (const headers of [{}, lines]) {
    const response = await own.get('/events?topic=f.a&after=20', headers)
    expect([response.status, read(await response.text()).flat()]).toEqual([200, []])
  }
  // Redis still has the rest: consumers write the same once more, and then what is new.
  await own.store('f.a', 'x', 13, 22)
  const rest = (from: number) => upTo(22, from)
  await eventually(() =>
    expect([seqsOf(one), seqsOf(late), seqsOf(old)]).toEqual([rest(1), rest(21), rest(11)]),
  )
  await eventually(() => expect(all.told.length).toBe(42))
  expect(one.text + all.text + late.text + old.text).not.toContain('log_restored')
})

test('a topic that the backup did not have is another log, also if it is made anew', async () => {
  await using own = await ownLog()
  await own.store('n.a', 'x', 1, 5)
  using all = own.tail('topic=n.*&from=start')
  await eventually(() => expect(all.told.length).toBe(5))
  await own.putBack('n.a', 0)
  await own.beginEpoch('n.a')
  await all.over
  expect(await own.told('/events?topic=n.a&after=5')).toEqual(restored('n.a', 0, '0'))
  await own.store('n.a', 'y', 1, 2)
  using again = own.tail('topic=n.a', '0')
  await eventually(() => expect(again.told.map(({ id }) => id)).toEqual(['2.1', '2.2']))
})
