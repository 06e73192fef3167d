/** The route of the audit log, and what is in it beside keys. */
import { AuditEntry } from '@sekali/api/key'
import * as v from 'valibot'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nextOf } from './links.ts'
import { type KeyedGateway, serveWithKeys } from './with-keys.ts'

let system: KeyedGateway
beforeAll(async () => {
  system = await serveWithKeys()
})
afterAll(() => system[Symbol.asyncDispose]())

const asFirst = (method: string, path: string) => system.send(system.first, method, path)
const latest = async () =>
  (await (await asFirst('GET', '/audit?limit=1')).json()) as Record<string, unknown>[]

test('the audit log is read to its end in both directions', async () => {
  for (let n = 0; n < 3; n++) await system.make()
  const { id } = await system.make()
  await asFirst('DELETE', `/keys/${id}`)
  const read = async (begin: string) => {
    const entries: { number: number }[] = []
    for (let path: string | undefined = begin; path; ) {
      const answer = await asFirst('GET', path)
      entries.push(...((await answer.json()) as typeof entries))
      path = nextOf(path, answer)
    }
    return entries
  }
  const up = await read('/audit?after=0&limit=3')
  expect(up.map(({ number }) => number)).toEqual(up.map((_, index) => index + 1))
  expect(await read('/audit?limit=4')).toEqual(up.toReversed())
  expect(up.slice(-2)).toMatchObject([
    { action: 'key_created', target: id },
    { action: 'key_revoked', target: id },
  ])
  for (const entry of up) expect(v.is(v.strictObject(AuditEntry.entries), entry)).toBe(true)
  expect((await asFirst('GET', '/audit?after=x')).status).toBe(422)
})

test('what administrators do beside keys is in the audit log', async () => {
  const { pool } = system.gateway.store
  await pool.query(`INSERT INTO topics (name) VALUES ('unused');
    INSERT INTO projections.generations (name, version, hash, topics, topic_regex, keyed, initial, stage)
      VALUES ('p', 1, '', '{}', '', false, '0', 'live')`)
  const by = { actor: system.first.split('_')[1], client: '127.0.0.1', details: {} }
  expect((await asFirst('DELETE', '/topics/unused')).status).toBe(200)
  expect(await latest()).toMatchObject([{ ...by, action: 'topic_dropped', target: 'unused' }])
  expect((await asFirst('POST', '/projections/p/rebuild')).status).toBe(202)
  expect(await latest()).toMatchObject([{ ...by, action: 'projection_rebuild', target: 'p' }])
  expect((await asFirst('DELETE', '/projections/p')).status).toBe(200)
  expect(await latest()).toMatchObject([{ ...by, action: 'projection_dropped', target: 'p' }])
})
