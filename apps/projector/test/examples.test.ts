/** The examples as they are written, and what the gateway says of them and of the built-in projections. */
import { fileURLToPath } from 'node:url'
import { startGateway } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { event } from '@sekali/testkit/sample'
import { expect, test } from 'vitest'
import { ownStack } from './stack.ts'

const examples = fileURLToPath(new URL('../../../examples', import.meta.url))

const at = (minute: number, second: number) =>
  `2025-12-08T10:${String(minute).padStart(2, '0')}:${String(second).padStart(2, '0')}.000000Z`

function order(topic: string, number: number, minute: number, payload: object | string) {
  const [eventId, timestamp] = [`e${number}`, at(minute, number)]
  return event({
    topic,
    eventId,
    timestamp,
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  })
}

test('the examples fold what their comments say, and the gateway shows it', async () => {
  await using stack = await ownStack()
  await stack.append([order('orders.eu.placed', 1, 0, {}), order('orders.eu.placed', 2, 1, {})])
  await stack.append([
    order('orders.eu.paid', 3, 1, { customer: 'c-17', total: 12.5 }),
    order('orders.eu.paid', 4, 2, { customer: 'c-17', total: 12.5 }),
    order('orders.eu.paid', 5, 2, { customer: 'ü/1', total: 0.1 }),
    order('orders.eu.paid', 6, 2, '{"key":9007199254740993}'),
  ])
  const attempts = Array.from({ length: 9 }, (_, index) =>
    order('logins.web', index, 3, { user: 'eve', ok: false }),
  )
  await stack.append(attempts)
  await using projector = stack.projector('p', { PROJECTIONS_DIR: examples, PROJECTIONS_BUILT_IN: 'on' })
  await using gateway = await startGateway({ ...stack.env, LOG_LEVEL: 'warn' })
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${gateway.url}${path}`, { headers })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, body: text && JSON.parse(text) }
  }

  let notes = 20

  const list = await eventually(async () => {
    const { body } = await get('/projections')
    expect(body, projector.output()).toMatchObject(
      // `latest` is the third.
      [1, 1, 2, 1, 1].map((version) => ({ status: 'live', lag: 0, version, keyed: true })),
    )
    return body as { name: string; as_of: object }[]
  }, 30_000)
  expect(list.map(({ name }) => name)).toEqual([
    'activity',
    'customer-totals',
    'latest',
    'login-alerts',
    'orders-per-minute',
  ])
  const ofOrders = { 'orders.eu.paid': 4, 'orders.eu.placed': 2 }
  expect(list.at(-1)?.as_of).toEqual(ofOrders)

  expect((await get('/projections/orders-per-minute?limit=2')).body).toEqual({
    name: 'orders-per-minute',
    version: 1,
    status: 'live',
    as_of: ofOrders,
    keys: [
      { key: '2025-12-08T10:00Z', state: { placed: 1, paid: 0 } },
      { key: '2025-12-08T10:01Z', state: { placed: 1, paid: 1 } },
    ],
    next: '2025-12-08T10:01Z',
  })
  const first = await get('/projections/orders-per-minute?limit=2')
  const next = /^<(.*)>; rel="next"$/.exec(first.headers.get('link') ?? '')?.[1] ?? ''
  const second = await get(`/projections/orders-per-minute${next}`)
  expect(second.body.keys).toEqual([{ key: '2025-12-08T10:02Z', state: { placed: 0, paid: 3 } }])
  expect(second.body.next).toBeUndefined()

  const total = await get('/projections/customer-totals/c-17')
  expect(total.body).toEqual({
    name: 'customer-totals',
    key: 'c-17',
    as_of: { 'orders.eu.paid': 4 },
    state: { orders: 2, cents: 2_500, last: at(2, 4) },
  })
  expect((await get(`/projections/customer-totals/${encodeURIComponent('ü/1')}`)).body.state.cents).toBe(10)
  expect((await get('/projections/customer-totals?key=%C3%BC/1')).body.state.cents).toBe(10)
  expect((await get('/projections/login-alerts/logins.web%20eve')).body.state).toEqual({
    failed: [5, 6, 7, 8].map((second) => at(3, second)),
    alerts: [at(3, 4)],
  })
  expect((await get('/projections/latest/orders.eu.paid 9007199254740993')).text).toContain(
    '"payload":{"key":9007199254740993},"seq":4}',
  )
  const { body: activity } = await get('/projections/activity?after=2025-12-08T10:02')
  expect(
    activity.keys.map(({ key, state }: { key: string; state: { events: number } }) => [key, state.events]),
  ).toEqual([
    ['2025-12-08T10:02Z orders.eu.paid shop', 3],
    ['2025-12-08T10:03Z logins.web shop', 9],
  ])

  // A key is data: also one that has line ends, of whatever kind.
  for (const key of ['a\nb', '\n', 'a\r\nb/c', 'a\u2028b']) {
    await stack.append([order('notes', notes++, 0, { key })])
    const path = `/projections/latest/${encodeURIComponent(`notes ${key}`)}`
    await eventually(async () => expect((await get(path)).body.state).toMatchObject({ payload: { key } }))
    expect((await fetch(gateway.url + path, { method: 'PUT' })).headers.get('allow')).toBe(
      'GET, HEAD, OPTIONS',
    )
  }

  // Who has the state already is not sent it again, until it changes.
  const etag = total.headers.get('etag') ?? ''
  const pages = ['/projections/customer-totals?limit=2', '/projections/customer-totals?limit=3'] as const
  const before = await Promise.all(pages.map(async (page) => (await get(page)).headers.get('etag') ?? ''))
  const known = (page: 0 | 1) => get(pages[page], { 'If-None-Match': before[page] ?? '' })
  expect([(await known(0)).status, (await known(1)).status]).toEqual([304, 304])
  const path = '/projections/customer-totals/c-17'
  await stack.append([order('orders.us.paid', 7, 4, { customer: 'ÿ', total: 1 })])
  await eventually(async () => expect((await get(path)).body.as_of).toHaveProperty(['orders.us.paid'], 1))
  expect((await get(path, { 'If-None-Match': `"x", ${etag}` })).status).toBe(304)
  // A new key: the smaller page has one more behind it, and the larger one has it.
  expect([(await known(0)).body.next, (await known(1)).body.keys.length]).toEqual(['ü/1', 3])
  await stack.append([order('orders.us.paid', 8, 4, { customer: 'c-17', total: 1 })])
  await eventually(async () => expect((await get(path, { 'If-None-Match': etag })).body.state.orders).toBe(3))

  expect((await get('/projections/none')).body.code).toBe('unknown_projection')
  expect((await get('/projections/none/key')).body.code).toBe('unknown_projection')
  expect((await get('/projections/customer-totals/none')).body.code).toBe('unknown_key')
  expect((await get('/projections/customer-totals?key=')).body.code).toBe('unknown_key')
  expect((await get('/projections/latest?limit=0&x=1')).body.errors).toHaveLength(2)
  for (const twice of ['limit=1&limit=2', 'key=a&key=b', 'key=a&limit=1']) {
    expect((await get(`/projections/latest?${twice}`)).body.errors).toHaveLength(1)
  }
  const drop = async (name: string) =>
    await (await fetch(`${gateway.url}/projections/${name}`, { method: 'DELETE' })).json()
  expect(await drop('none')).toMatchObject({ status: 404, code: 'unknown_projection' })
  expect(await drop('latest')).toMatchObject({ status: 409, code: 'projection_in_use' })
  expect((await fetch(`${gateway.url}/projections/none/rebuild`, { method: 'POST' })).status).toBe(404)
  expect((await fetch(`${gateway.url}/projections`, { method: 'POST' })).headers.get('allow')).toBe(
    'GET, HEAD, OPTIONS',
  )
  expect((await fetch(`${gateway.url}${path.slice(0, 28)}/rebuild`, { method: 'POST' })).status).toBe(202)
  await eventually(async () => {
    const again = await get(path, { 'If-None-Match': etag })
    expect(again.headers.get('etag')?.split('-')[0]).not.toBe(etag.split('-')[0])
    expect(again.body.state.orders).toBe(3)
  })
})
