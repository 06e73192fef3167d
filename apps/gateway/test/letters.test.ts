/** The routes of dead letters and operations. What a redrive survives is in redrive.test.ts. */

import { eventually } from '@sekali/testkit/eventually'
import { makeConflict, makeDead } from '@sekali/testkit/letters'
import { ownDatabase, ownPrefix } from '@sekali/testkit/own'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { post, problemIn } from './gateway.ts'
import { nextOf } from './links.ts'
import { type ServedGateway, serveGateway } from './served-gateway.ts'

const stack = new AsyncDisposableStack()
let gateway: ServedGateway
beforeAll(async () => {
  const database = stack.use(await ownDatabase())
  const servers = { redisUrl: inject('redisUrl'), databaseUrl: database.url, prefix: ownPrefix() }
  gateway = stack.use(await serveGateway(servers))
})
afterAll(() => stack.disposeAsync())

const get = (path: string) => fetch(`${gateway.url}${path}`)
const send = (path: string, body: unknown = {}) => fetch(`${gateway.url}${path}`, post(JSON.stringify(body)))
type Json = Record<string, unknown>
const json = async (response: Response | Promise<Response>) => (await (await response).json()) as Json
const list = async (query = '') => (await (await get(`/dead-letters${query}`)).json()) as Json[]
const newest = async (topic: string) => String((await list(`?state=all&limit=1&topic=${topic}`))[0]?.id)
const codeOf = async (answer: Promise<Response>) => {
  const { status, code } = await problemIn(await answer)
  return `${status} ${code}`
}

test('letters come in pages that lead to each other, without their contents', async () => {
  for (const id of ['1', '2', '3']) await makeDead(gateway.store, id, { topic: 'pages' })
  await makeConflict(gateway.store, '4', { topic: 'pages' })
  const pages: Json[][] = []
  for (let path: string | undefined = '/dead-letters?topic=pages&limit=3'; path; ) {
    const answer = await get(path)
    pages.push((await answer.json()) as Json[])
    path = nextOf(path, answer)
  }
  const kinds = pages.map((page) => page.map(({ kind }) => kind))
  expect(kinds).toEqual([['conflict', 'entry', 'entry'], ['entry']])
  expect(pages[0]?.[0]).toEqual({
    id: expect.stringMatching(/^c-\d+$/),
    kind: 'conflict',
    topic: 'pages',
    event_id: '4',
    reason: 'conflict',
    seq: 1,
    received_at: expect.any(String),
    stored_at: expect.any(String),
    kept: true,
    state: 'open',
  })
  for (const query of [
    '?after=nothing',
    '?kind=letter',
    '?reason=a-b',
    '?state=closed',
    '?limit=0',
    '?topics=a',
  ]) {
    expect(await codeOf(get(`/dead-letters${query}`)), query).toBe('422 invalid_parameters')
  }
})

test('an entry is shown as Redis had it, and as the event that a redrive appends [P8]', async () => {
  const payload = '{ "n": 9007199254740993, "d": 12.50 }'
  await makeDead(gateway.store, 'whole', { topic: 'shown', payload })
  const text = await (await get(`/dead-letters/${await newest('shown')}`)).text()
  expect(text).toContain(`"payload":${payload}`)
  const { fields, event } = JSON.parse(text)
  expect(fields[1]).toContain(payload)
  expect(event).toMatchObject({ topic: 'shown', event_id: 'whole', source: 'shop' })
  await makeDead(gateway.store, null, { topic: 'shown' })
  const malformed = await json(get(`/dead-letters/${await newest('shown')}`))
  expect(malformed).toMatchObject({ event_id: null, reason: 'malformed_entry', fields: ['e', 'no event'] })
  expect(malformed).not.toHaveProperty('event')
  for (const id of ['e-9999', 'c-9999', 'e-0', 'x']) {
    expect(await codeOf(get(`/dead-letters/${id}`)), id).toBe('404 unknown_letter')
  }
})

test('a conflict is shown with both contents, and in what they differ', async () => {
  const compare = async (stored: string, received: string) => {
    const topic = `compared-${crypto.randomUUID()}`
    await makeConflict(gateway.store, 'c', { topic, stored, received })
    const text = await (await get(`/dead-letters/${await newest(topic)}`)).text()
    expect(text).toContain(`"payload":${stored}`)
    expect(text).toContain(`"payload":${received}`)
    return JSON.parse(text)
  }
  expect(await compare('{"a":1,"b":2.50}', '{"b": 2.5, "a":1}')).toMatchObject({
    differs: ['source', 'payload'],
    same_json: true,
    received: { source: 'other' },
    stored: { source: 'shop' },
  })
  expect(await compare('{"n":9007199254740993}', '{"n":9007199254740992}')).toMatchObject({
    same_json: false,
  })
})

test('a stub says that nothing is kept, and is neither redriven nor published', async () => {
  await makeDead(gateway.store, 'stub', { topic: 'stubs' })
  await makeConflict(gateway.store, 'stub', { topic: 'stubs' })
  const [conflict, entry] = (await list('?topic=stubs')).map(({ id }) => String(id))
  await gateway.store.pool.query('UPDATE dead_letters SET fields = NULL WHERE id = $1', [entry?.slice(2)])
  await gateway.store.pool.query(
    'UPDATE conflicts SET payload = NULL, timestamp = NULL, source = NULL WHERE id = $1',
    [conflict?.slice(2)],
  )
  const shown = await json(get(`/dead-letters/${entry}`))
  expect(shown).toMatchObject({ kept: false, event_id: 'stub' })
  expect(shown).not.toHaveProperty('fields')
  expect(await json(get(`/dead-letters/${conflict}`))).not.toHaveProperty('received')
  expect(await json(send('/dead-letters/redrive', { filter: { id: entry }, dry_run: true }))).toMatchObject({
    matched: 0,
  })
  expect(await codeOf(send(`/dead-letters/${conflict}/publish-as`, { event_id: 'new' }))).toBe(
    '409 letter_not_kept',
  )
})

test('a letter is discarded once, with a reason', async () => {
  await makeDead(gateway.store, 'd', { topic: 'discards' })
  const id = await newest('discards')
  for (const body of [{}, { reason: '' }, { reason: 'a\nb' }, { reason: 'a', more: 1 }, []]) {
    expect(await codeOf(send(`/dead-letters/${id}/discard`, body))).toBe('422 invalid_body')
  }
  expect(await json(send(`/dead-letters/${id}/discard`, { reason: 'a test' }))).toMatchObject({
    id,
    state: 'settled',
    settled: { became: 'discarded', by: 'anyone', reason: 'a test' },
  })
  expect(await codeOf(send(`/dead-letters/${id}/discard`, { reason: 'again' }))).toBe('409 letter_settled')
  expect(await list('?topic=discards')).toEqual([])
  expect(await list('?topic=discards&state=discarded')).toHaveLength(1)
})

test('a conflict becomes an event of its own, and not under an id that another content has', async () => {
  await makeConflict(gateway.store, 'p', { topic: 'published', received: '{ "n": 9007199254740993 }' })
  const id = await newest('published')
  const publishAs = (event_id: string) => send(`/dead-letters/${id}/publish-as`, { event_id })
  expect(await codeOf(publishAs('p'))).toBe('409 event_id_taken')
  expect(await json(publishAs('p2'))).toMatchObject({ settled: { became: 'published_as', event_id: 'p2' } })
  expect(await codeOf(publishAs('p2'))).toBe('409 letter_settled')
  await makeDead(gateway.store, 'p', { topic: 'published' })
  const entry = await newest('published')
  expect(await codeOf(send(`/dead-letters/${entry}/publish-as`, { event_id: 'p3' }))).toBe(
    '409 not_a_conflict',
  )
})

test('a redrive is counted first, and begins if the count is still right', async () => {
  for (const id of ['1', '2', '3']) await makeDead(gateway.store, id, { topic: 'redriven' })
  await makeDead(gateway.store, null, { topic: 'redriven' })
  const filter = { topic: 'redriven' }
  const counted = await json(send('/dead-letters/redrive', { filter, dry_run: true }))
  expect(counted).toEqual({
    matched: 4,
    by_reason: { 23514: 3, malformed_entry: 1 },
    as_of: expect.stringMatching(/^e-\d+$/),
  })
  const { as_of } = counted
  await makeDead(gateway.store, 'later', { topic: 'redriven' })
  const changed = await problemIn(await send('/dead-letters/redrive', { filter, as_of, expect: 5 }))
  expect(changed).toMatchObject({ status: 409, code: 'count_changed', matched: 4 })
  const begun = await send('/dead-letters/redrive', { filter, as_of, expect: 4, rate: 1_000 })
  expect(begun.status).toBe(202)
  const { id } = await json(begun)
  expect(new URL(String(begun.headers.get('location')), 'http://host/x/dead-letters/redrive').pathname).toBe(
    `/x/operations/${id}`,
  )
  const done = await eventually(async () => {
    const operation = await json(get(`/operations/${id}`))
    expect(operation.state).toBe('done')
    return operation
  }, 10_000)
  expect(done).toMatchObject({ matched: 4, done: 4, outcomes: { redriven: 3, not_an_event: 1 }, filter })
  expect(done).not.toHaveProperty('error')
  expect((await list('?topic=redriven')).map(({ event_id }) => event_id)).toEqual(['later', null])
  expect(await codeOf(send(`/operations/${id}/cancel`))).toBe('409 operation_over')
})

test('what makes no sense of a redrive is refused, with the field', async () => {
  const refused = async (body: object) => {
    const { code, errors = [] } = await problemIn(await send('/dead-letters/redrive', body))
    return [code, ...errors.map((one) => `${one.path} ${one.code}`)]
  }
  expect(await refused({})).toEqual(['invalid_body', 'as_of missing_field', 'expect missing_field'])
  expect(await refused({ as_of: 'c-1', expect: 1 })).toEqual(['invalid_body', 'as_of invalid_letter'])
  expect(await refused({ filter: { id: 'c-1' }, dry_run: true })).toEqual([
    'invalid_body',
    'filter.id invalid_letter',
  ])
  expect(await refused({ filter: { topics: 'a' }, dry_run: true })).toEqual([
    'invalid_body',
    'filter.topics unknown_field',
  ])
  expect(await refused({ dry_run: true, rate: 0 })).toEqual(['invalid_body', 'rate invalid_rate'])
})

test('an operation is listed, and ends where it is when it is cancelled', async () => {
  for (const id of ['1', '2', '3', '4']) await makeDead(gateway.store, id, { topic: 'cancelled' })
  const filter = { topic: 'cancelled' }
  const { as_of } = await json(send('/dead-letters/redrive', { filter, dry_run: true }))
  const { id } = await json(send('/dead-letters/redrive', { filter, as_of, expect: 4, rate: 1 }))
  await eventually(
    async () => expect(await json(get(`/operations/${id}`))).toMatchObject({ done: 1 }),
    10_000,
  )
  expect(await json(send(`/operations/${id}/cancel`))).toMatchObject({ id, state: 'cancelled' })
  expect(await json(send(`/operations/${id}/cancel`))).toMatchObject({ id, state: 'cancelled' })
  expect((await list('?topic=cancelled')).length).toBeGreaterThanOrEqual(2)
  const [latest] = (await (await get('/operations?limit=1')).json()) as Json[]
  expect(latest).toMatchObject({ id, state: 'cancelled' })
  const first = await get('/operations?limit=1')
  expect(nextOf('/operations?limit=1', first)).toBe(`/operations?limit=1&before=${id}`)
  for (const unknown of ['0', '9999', 'x']) {
    expect(await codeOf(get(`/operations/${unknown}`))).toBe('404 unknown_operation')
  }
})
