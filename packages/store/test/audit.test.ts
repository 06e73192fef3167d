import type { TopicName } from '@sekali/core/event'
import { ownStore } from '@sekali/testkit/own'
import { event } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import { expect, test } from 'vitest'
import { appendAudit } from '../src/audit/append.ts'
import { readAudit } from '../src/audit/read.ts'
import { dropTopic } from '../src/operate/drop-topic.ts'
import type { Store } from '../src/postgres/connect.ts'

const by = { actor: 'tester', client: '192.0.2.1' }
const audited = (store: Store) => readAudit(store, { after: 0, limit: 100 })

test('the audit log is read in both directions', async () => {
  await using store = await ownStore()
  for (let n = 1; n <= 5; n++) await appendAudit(store, { actor: `a${n}`, action: 'denied', target: 't' })
  const read = async (page: Parameters<typeof readAudit>[1]) =>
    (await readAudit(store, page)).map((e) => e.number)
  expect(await read({ after: 2, limit: 2 })).toEqual([3, 4])
  expect(await read({ limit: 2 })).toEqual([5, 4])
  expect(await read({ before: 4, limit: 2 })).toEqual([3, 2])
})

test('what a client wrote into an entry is cut, and is text that PostgreSQL takes', async () => {
  await using store = await ownStore()
  await appendAudit(store, { actor: 'a', action: 'denied', target: `\0${'x'.repeat(255)}\ud83d\ude00` })
  expect((await audited(store))[0]?.target).toBe(`${'x'.repeat(255)}`)
})

test('a topic is not dropped without an entry, and one that is not dropped has none', async () => {
  await using store = await ownStore()
  const drop = (topic: string) => dropTopic(store, topic as TopicName, async () => 'dropped', by)
  await store.pool.query(`INSERT INTO topics (name) VALUES ('empty')`)
  await storeEvents(store, [event({ topic: 'full' })])
  expect(await drop('full')).toBe('in_use')
  expect(await audited(store)).toEqual([])
  expect(await drop('empty')).toBe('dropped')
  expect(await audited(store)).toMatchObject([{ ...by, action: 'topic_dropped', target: 'empty' }])
  await store.pool.query(`INSERT INTO topics (name) VALUES ('kept'); DROP FUNCTION audit.append`)
  await expect(drop('kept')).rejects.toMatchObject({ code: 'store_unavailable' })
  expect((await store.pool.query(`SELECT FROM topics WHERE name = 'kept'`)).rowCount).toBe(1)
})
