/** What counts as the same content of an event id, by the setting of its topic. */
import type { TopicName } from '@sekali/core/event'
import { type Position, timeOf } from '@sekali/core/position'
import { ownStore } from '@sekali/testkit/own'
import { event } from '@sekali/testkit/sample'
import { expect, test } from 'vitest'
import { digestOfJson, kindOf } from '../src/keys/content-tag.ts'
import { readJsonTopics, readTopicSettings, setTopicSettings } from '../src/operate/topic-settings.ts'
import type { Store } from '../src/postgres/connect.ts'
import { digestOf, readOutcomes } from '../src/read/outcomes.ts'
import { withTurns } from '../src/turn/turn.ts'
import { commit, orders } from './commit.ts'

const by = { actor: 'test' }
const setTo = (store: Store, sameContent: 'bytes' | 'json', topic = orders) =>
  setTopicSettings(store, topic, { sameContent }, by)

const paid = (payload: string, eventId = 'a', source = 'shop') => ({
  event: event({ eventId, payload, source }),
  receivedAt: '2025-12-08T10:00:01.000000Z',
})

const written = '{"total":12.50,"n":9007199254740993,"who":"é"}'
const otherwise = ' { "who" : "\\u00e9",\n"n":9007199254740993.0, "total" : 125e-1 } '
const another = '{"total":12.50,"n":9007199254740992,"who":"é"}'

const looks = [
  ['by key', true],
  ['by text, in a log that is not upgraded', false],
] as const

/** A log of which ids are looked up in that way. */
async function storeThatLooks(keyed: boolean): Promise<Store> {
  const store = await ownStore()
  await store.pool.query(`ALTER TABLE topics ALTER COLUMN keyed SET DEFAULT ${keyed}`)
  return store
}

test.for(looks)(
  'by bytes, which is usual, JSON that is written in another way is a conflict; by its meaning, a duplicate: looked up %s [P4]',
  async ([, keyed]) => {
    await using store = await storeThatLooks(keyed)
    expect(await commit(store, [paid(written)])).toMatchObject({ stored: 1 })
    expect(await commit(store, [paid(otherwise)])).toMatchObject({ duplicates: 0, conflicts: 1 })
    expect(await setTo(store, 'json')).toBe('set')
    expect(await commit(store, [paid(otherwise)])).toMatchObject({ duplicates: 1, conflicts: 0 })
    expect(await commit(store, [paid(another)])).toMatchObject({ duplicates: 0, conflicts: 1 })
    expect(await commit(store, [paid(otherwise, 'a', 'other')])).toMatchObject({ conflicts: 1 })
    // What is stored is as it came first.
    const { rows } = await store.pool.query('SELECT payload::text FROM events')
    expect(rows).toEqual([{ payload: written }])
    expect(await setTo(store, 'bytes')).toBe('set')
    expect(await commit(store, [paid(otherwise)])).toMatchObject({ conflicts: 1 })
  },
)

test('by its meaning, repeats in one turn are told from conflicts as well, and topics of both settings share a turn', async () => {
  await using store = await ownStore()
  await setTo(store, 'json')
  const batch = [paid(written), paid(otherwise), paid(another), paid(otherwise), paid(written)]
  expect(await commit(store, batch)).toEqual({ stored: 1, duplicates: 3, conflicts: 1 })
  const bytes = 'bytes' as TopicName
  expect(await commit(store, batch, bytes)).toEqual({ stored: 1, duplicates: 1, conflicts: 3 })
  const settings = await withTurns(store, [orders, bytes], 2, async (_, turns) =>
    turns.map(({ sameContent }) => sameContent),
  )
  expect(settings).toEqual(['json', 'bytes'])
})

test.for(looks)(
  'by its meaning, a repeat may be shorter or longer than what is stored, also by a great deal: looked up %s',
  async ([, keyed]) => {
    await using store = await storeThatLooks(keyed)
    const ids = Array.from({ length: 40 }, (_, index) => `x${index}`)
    const spaces = ' '.repeat(50_000)
    await commit(
      store,
      ids.map((id, index) => paid(`{${spaces}"n"${spaces}:${index}}`, id)),
    )
    // Half of them are stored by their bytes, the others by their meaning.
    await setTo(store, 'json')
    await commit(
      store,
      ids.map((id, index) => paid(`{${spaces}"n"${spaces}:${index}}`, `${id}-later`)),
    )
    const short = ids.flatMap((id, index) => [id, `${id}-later`].map((each) => paid(`{"n":${index}}`, each)))
    expect(await commit(store, short)).toEqual({ stored: 0, duplicates: 80, conflicts: 0 })
    const other = ids.map((id, index) => paid(`{"n":${index + (index % 2)}}`, id))
    expect(await commit(store, other)).toEqual({ stored: 0, duplicates: 20, conflicts: 20 })
  },
)

test('what no reader of JSON takes is compared as it is', async () => {
  await using store = await ownStore()
  await setTo(store, 'json')
  // As somebody may append it to Redis: PostgreSQL takes more levels than the door does.
  const deep = (word: string) => `{"a":${'['.repeat(100)}${word}${']'.repeat(100)}}`
  expect(await commit(store, [paid(deep('1')), paid(deep('1')), paid(deep(' 1'))])).toEqual({
    stored: 1,
    duplicates: 1,
    conflicts: 1,
  })
  expect(await commit(store, [paid(deep('1')), paid(deep('1.0'))])).toMatchObject({
    duplicates: 1,
    conflicts: 1,
  })
})

test('what is stored has a tag of the kind that its topic compares', async () => {
  await using store = await ownStore()
  await commit(store, [paid(written)])
  await setTo(store, 'json')
  await commit(store, [paid(otherwise, 'b'), paid(written, 'c'), paid(another, 'd')])
  const { rows } = await store.pool.query<{ content_tag: string }>(
    'SELECT content_tag FROM events ORDER BY seq',
  )
  const tags = rows.map(({ content_tag }) => content_tag.replaceAll('-', ''))
  expect(tags.map(kindOf)).toEqual(['bytes', 'json', 'json', 'json'])
  expect([tags[1] === tags[2], tags[2] === tags[3]]).toEqual([true, false])
})

test('settings are there before the topic is; a change is in the audit log, once', async () => {
  await using store = await ownStore()
  expect(await readTopicSettings(store, orders)).toEqual({ sameContent: 'bytes' })
  const who = { actor: 'admin', client: '192.0.2.7' }
  for (const sameContent of ['json', 'json', 'bytes', 'json'] as const) {
    expect(await setTopicSettings(store, orders, { sameContent }, who)).toBe('set')
    expect(await readTopicSettings(store, orders)).toEqual({ sameContent })
  }
  const { rows } = await store.pool.query(
    'SELECT actor, client, action, target, details FROM audit.entries ORDER BY number',
  )
  const entry = { ...who, action: 'topic_settings', target: 'orders' }
  expect(rows).toEqual([
    { ...entry, details: { same_content: 'json', was: 'bytes' } },
    { ...entry, details: { same_content: 'bytes', was: 'json' } },
    { ...entry, details: { same_content: 'json', was: 'bytes' } },
  ])
  await setTo(store, 'json', 'a.b' as TopicName)
  await setTo(store, 'bytes', 'a.c' as TopicName)
  expect(await readJsonTopics(store, 1)).toEqual({ count: 2, names: ['a.b'] })
})

test('a setting waits for the turn that is under way, and gives up on one that lasts', async () => {
  await using store = await ownStore()
  await setTo(store, 'bytes')
  let change: Promise<string> | undefined
  await withTurns(store, [orders], 1, async () => {
    change = setTo(store, 'json')
    const isWaiting = async () => {
      const { rows } = await store.pool.query(
        "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%set_topic_settings%' AND wait_event_type = 'Lock'",
      )
      return rows.length > 0
    }
    await expect.poll(isWaiting, { timeout: 10_000, interval: 10 }).toBe(true)
    expect(await readTopicSettings(store, orders)).toEqual({ sameContent: 'bytes' })
  })
  expect(await change).toBe('set')
  await withTurns(store, [orders], 1, async () => {
    expect(await setTo(store, 'bytes')).toBe('busy')
  })
  expect(await readTopicSettings(store, orders)).toEqual({ sameContent: 'json' })
})

test('whoever has ended may say nothing any more', async () => {
  await using store = await ownStore()
  const ended = { actor: 'token', until: new Date(Date.now() - 1_000) }
  expect(await setTopicSettings(store, orders, { sameContent: 'json' }, ended)).toBe('actor_ended')
  expect(await readTopicSettings(store, orders)).toEqual({ sameContent: 'bytes' })
})

test('a receipt says of a repeat that is written in another way that its payload differs, and never that it was lost', async () => {
  await using store = await ownStore()
  const at = 1_700_000_000_000
  await setTo(store, 'json')
  await commit(store, [{ ...paid(written), receivedAt: timeOf(`${at}-5` as Position) }])
  await store.pool.query("UPDATE topics SET position = $1 WHERE name = 'orders'", [`${at}-9`])
  const outcome = async (payload: string, number = 6) => {
    const position = `${at}-${number}` as Position
    const digests = { digest: digestOf(payload), jsonDigest: digestOfJson(payload) }
    return (await readOutcomes(store, [{ ...paid(payload).event, position, ...digests }]))[0]
  }
  const repeated = { status: 'duplicate', seq: 1 }
  expect(await outcome(written)).toEqual(repeated)
  expect(await outcome(otherwise)).toEqual({ ...repeated, differs: ['payload'] })
  expect(await outcome(otherwise, 4)).toEqual({ status: 'lost' })
  // Once Redis has lost something of the topic, another content may be what was lost.
  await store.pool.query('UPDATE topics SET loss_at = now()')
  expect(await outcome(otherwise)).toEqual({ ...repeated, differs: ['payload'] })
  expect(await outcome(another)).toEqual({ status: 'lost' })
  await setTo(store, 'bytes')
  expect(await outcome(otherwise)).toEqual({ status: 'lost' })
})
