import { InvalidConfig } from '@sekali/core/errors'
import { expect, test } from 'vitest'
import { Invalid, Refused, Unreachable } from '../src/errors.ts'
import type { Operation } from '../src/operate/operations.ts'
import { createOperator } from '../src/operate/operator.ts'
import { json, type Peer, resets, startPeer } from './peer.ts'
import { failureOf, fast } from './sample.ts'

const letter = (id: string, more: object = {}) => ({
  id,
  kind: id.startsWith('c') ? 'conflict' : 'entry',
  topic: 'orders',
  event_id: 'order-1',
  reason: '23514',
  received_at: '2026-01-01T00:00:00Z',
  stored_at: '2026-01-01T00:00:00Z',
  kept: true,
  state: 'open',
  ...more,
})

const operation = (more: Partial<Operation> = {}): Operation => ({
  id: 3,
  kind: 'redrive',
  state: 'running',
  filter: { topic: 'orders' },
  as_of: 'e-9',
  rate: 50,
  matched: 4,
  done: 0,
  outcomes: {},
  created_at: '2026-01-01T00:00:00Z',
  created_by: 'anyone',
  finished_at: null,
  ...more,
})

const settled = (became: string, more: object) =>
  letter('c-7', { state: 'settled', settled: { became, at: '2026-01-01T00:00:00Z', by: 'anyone', ...more } })
const isSettled = json(409, { code: 'letter_settled', title: 'Somebody has dealt with it' })

const operatorOf = ({ url }: Peer) => createOperator({ baseUrl: url, retry: fast })
const asked = ({ received }: Peer) =>
  received.map(({ method, url, body }) => [`${method} ${url}`, body === '' ? undefined : JSON.parse(body)])

test('letters come page after page, by the links, and only as far as they are wanted', async () => {
  await using peer = await startPeer(
    json(200, [letter('e-3'), letter('c-2')], { link: '<?topic=orders&after=e-3>; rel="next"' }),
    json(200, [], { link: '</x/dead-letters?topic=orders&after=e-2>; rel="next"' }),
    json(200, [letter('e-1')]),
  )
  const ids: string[] = []
  for await (const { id } of operatorOf(peer).letters({ topic: 'orders', state: 'all' })) ids.push(id)
  expect(ids).toEqual(['e-3', 'c-2', 'e-1'])
  expect(peer.received.map(({ url }) => url)).toEqual([
    '/dead-letters?topic=orders&state=all',
    '/dead-letters?topic=orders&after=e-3',
    '/dead-letters?topic=orders&after=e-2',
  ])
})

test('who needs one letter asks for no further page', async () => {
  await using peer = await startPeer(json(200, [letter('e-1')], { link: '<?after=e-1>; rel="next"' }))
  for await (const _ of operatorOf(peer).letters()) break
  expect(peer.received.map(({ url }) => url)).toEqual(['/dead-letters'])
})

test('a letter comes with its content, and as text with the digits that JSON.parse would round', async () => {
  const text = JSON.stringify(letter('e-1')).replace('}', ',"event":{"payload":{"n":9007199254740993}}}')
  await using peer = await startPeer((response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(text)
  })
  const operator = operatorOf(peer)
  expect(await operator.letterText('e-1')).toBe(text)
  expect(await operator.letter('e-1')).toMatchObject({ id: 'e-1', event: { payload: { n: 2 ** 53 } } })
  expect(peer.received.map(({ url }) => url)).toEqual(['/dead-letters/e-1', '/dead-letters/e-1'])
})

test('a conflict is compared with what is stored, an entry with nothing', async () => {
  const content = { timestamp: '2026-01-01T00:00:00Z', source: 's', payload: { n: 1 } }
  const stored = { ...content, received_at: content.timestamp, stored_at: content.timestamp }
  const conflict = { received: content, stored, differs: ['source'], same_json: true }
  await using peer = await startPeer(json(200, letter('c-7', conflict)))
  expect(await operatorOf(peer).compare('c-7')).toEqual(conflict)
  expect(await failureOf(operatorOf(peer).compare('e-7'))).toBeInstanceOf(InvalidConfig)
  expect(peer.received).toHaveLength(1)
})

test('a redrive is counted, begun with what was counted, and followed to its end', async () => {
  await using peer = await startPeer(
    json(200, { matched: 4, by_reason: { 23514: 4 }, as_of: 'e-9' }),
    json(202, operation()),
    json(200, operation({ done: 2 })),
    json(503, { code: 'store_unavailable' }),
    json(200, operation({ done: 4, state: 'done', outcomes: { redriven: 4 } })),
  )
  const operator = operatorOf(peer)
  const filter = { topic: 'orders', reason: '23514' }
  const { matched, as_of } = await operator.countRedrive(filter)
  const { id } = await operator.redrive({ filter, asOf: as_of, expect: matched, rate: 100 })
  const seen: number[] = []
  const ended = await operator.waitFor(id, { onProgress: ({ done }) => seen.push(done), everyMs: 1 })
  expect(ended).toMatchObject({ state: 'done', outcomes: { redriven: 4 } })
  expect(seen).toEqual([2, 4])
  expect(asked(peer)).toEqual([
    ['POST /dead-letters/redrive', { filter, dry_run: true }],
    ['POST /dead-letters/redrive', { filter, as_of: 'e-9', expect: 4, rate: 100 }],
    ...Array.from({ length: 3 }, () => ['GET /operations/3', undefined]),
  ])
})

test('a redrive whose answer is lost is not asked for again, and a count is', async () => {
  await using peer = await startPeer(resets, json(200, { matched: 0, by_reason: {}, as_of: 'e-0' }), resets)
  const operator = operatorOf(peer)
  expect(await operator.countRedrive()).toMatchObject({ matched: 0 })
  const begun = operator.redrive({ asOf: 'e-0', expect: 0 })
  expect(await failureOf(begun)).toBeInstanceOf(Unreachable)
  expect(peer.received).toHaveLength(3)
})

test('a redrive that does not match, and what makes no sense, are refused with the code', async () => {
  await using peer = await startPeer(
    json(409, { code: 'count_changed', title: 'Another number matches' }),
    json(422, { code: 'invalid_body', errors: [{ path: 'rate', code: 'invalid_rate', message: 'no' }] }),
  )
  const operator = operatorOf(peer)
  const changed = await failureOf(operator.redrive({ asOf: 'e-9', expect: 3 }))
  expect(changed).toBeInstanceOf(Refused)
  expect(changed).toMatchObject({ status: 409, code: 'count_changed' })
  const refused = await failureOf(operator.redrive({ asOf: 'e-9', expect: 3, rate: 0 }))
  expect(refused).toBeInstanceOf(Invalid)
  expect(refused).toMatchObject({ issues: [{ path: 'rate' }] })
})

test('an operation that fails is waited for as well, and a signal ends the wait alone', async () => {
  const failed = operation({ state: 'failed', error: 'the key or token that began it has been revoked' })
  await using peer = await startPeer(json(200, failed), json(200, operation()))
  const operator = operatorOf(peer)
  expect(await operator.waitFor(3)).toEqual(failed)
  const stopping = new AbortController()
  const waiting = operator.waitFor(3, {
    signal: stopping.signal,
    onProgress: () => stopping.abort(new Error('enough')),
  })
  await expect(waiting).rejects.toThrow('enough')
  expect(peer.received.every(({ method }) => method === 'GET')).toBe(true)
})

test.each([
  ['discard', { reason: 'a test' }, settled('discarded', { reason: 'a test' })],
  ['publish-as', { event_id: 'order-1b' }, settled('published_as', { event_id: 'order-1b' })],
] as const)(
  'a %s whose answer was lost has succeeded if it is what settled the letter',
  async (how, body, now) => {
    const act = (peer: Peer) =>
      how === 'discard'
        ? operatorOf(peer).discard('c-7', 'a test')
        : operatorOf(peer).publishAs('c-7', 'order-1b')
    await using peer = await startPeer(resets, isSettled, json(200, now))
    expect(await act(peer)).toEqual(now)
    const path = `POST /dead-letters/c-7/${how}`
    expect(asked(peer)).toEqual([
      [path, body],
      [path, body],
      ['GET /dead-letters/c-7', undefined],
    ])
    await using others = await startPeer(resets, isSettled, json(200, settled('redriven', { operation: 1 })))
    expect(await failureOf(act(others))).toMatchObject({ code: 'letter_settled' })
    await using faster = await startPeer(isSettled)
    expect(await failureOf(act(faster))).toMatchObject({ code: 'letter_settled' })
  },
)

test('operations are listed page after page, shown and cancelled', async () => {
  await using peer = await startPeer(
    json(200, [operation({ id: 5 })], { link: '<?limit=1&before=5>; rel="next"' }),
    json(200, [operation({ id: 4 })]),
    json(200, operation({ id: 4 })),
    json(200, operation({ id: 4, state: 'cancelled' })),
  )
  const operator = operatorOf(peer)
  const ids: number[] = []
  for await (const { id } of operator.operations({ limit: 1 })) ids.push(id)
  expect(ids).toEqual([5, 4])
  expect(await operator.operation(4)).toMatchObject({ state: 'running' })
  expect(await operator.cancel(4)).toMatchObject({ state: 'cancelled' })
  expect(asked(peer).map(([what]) => what)).toEqual([
    'GET /operations?limit=1',
    'GET /operations?limit=1&before=5',
    'GET /operations/4',
    'POST /operations/4/cancel',
  ])
})

test('what cannot be meant is refused before anything is sent', async () => {
  await using peer = await startPeer(json(200, []))
  const operator = operatorOf(peer)
  const wrong: readonly (() => Promise<unknown>)[] = [
    () => operator.letter(''),
    () => operator.discard('e-1', ''),
    () => operator.publishAs('c-1', ''),
    () => operator.operation(0),
    () => operator.cancel(1.5),
    () => operator.waitFor(1, { everyMs: -1 }),
    () => operator.letters('orders' as never).next(),
    () => operator.waitFor(1, { every: 1 } as never),
  ]
  for (const call of wrong) expect(await failureOf(call()), String(call)).toBeInstanceOf(InvalidConfig)
  expect(peer.received).toEqual([])
})

test('epochs are counted for, and begun at the time that is said; an answer that is lost is asked for again', async () => {
  const counted = { topics: 3, events: 7, newest_stored_at: null, started_at: 't', stored_since_start: 0 }
  const begun = { epoch: 9, topics: 3 }
  await using peer = await startPeer(json(200, counted), resets, json(201, begun), json(201, begun))
  const operator = operatorOf(peer)
  expect(await operator.countForEpochs()).toEqual(counted)
  expect(await operator.beginEpochs('2026-01-01T00:00:00Z')).toEqual(begun)
  expect(await operator.beginEpochs()).toEqual(begun)
  const at = { restored_at: '2026-01-01T00:00:00Z' }
  expect(asked(peer)).toEqual([
    ['POST /epochs', { dry_run: true }],
    ['POST /epochs', at],
    ['POST /epochs', at],
    ['POST /epochs', {}],
  ])
})
