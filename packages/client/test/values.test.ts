import { expect, test } from 'vitest'
import { createClient } from '../src/client.ts'
import { Invalid } from '../src/errors.ts'
import { json, startPeer } from './peer.ts'
import { event, failureOf, fast } from './sample.ts'

const circle: Record<string, unknown> = {}
circle.self = circle
const withHole = [1]
withHole[2] = 3

/** What JSON.stringify makes something else of, or leaves out, each with how that is said. */
const notJson: [string, unknown, RegExp][] = [
  ['NaN', Number.NaN, /^payload\.of\.it must be JSON, not NaN$/],
  ['Infinity', Number.NEGATIVE_INFINITY, /^payload\.of\.it must be JSON, not -Infinity$/],
  ['a Map', new Map([['a', 1]]), /^payload\.of\.it must be JSON, not a Map/],
  ['a Set', new Set([1]), /^payload\.of\.it must be JSON, not a Set/],
  ['a function', () => 1, /^payload\.of\.it must be JSON, not a function$/],
  ['a class', class {}, /^payload\.of\.it must be JSON, not a function$/],
  [
    'undefined',
    undefined,
    /^payload\.of\.it must be JSON, not undefined: leave the field out, or send null$/,
  ],
  ['a symbol', Symbol('secret'), /^payload\.of\.it must be JSON, not a symbol$/],
  ['a bigint', 2n ** 60n, /^payload\.of\.it must be JSON, not a bigint: .* as JSON text/],
  ['an invalid date', new Date('?'), /^payload\.of\.it must be JSON, not an invalid Date$/],
  ['a promise', Promise.resolve(1), /^payload\.of\.it must be JSON, not a Promise/],
  ['an error', new Error('secret'), /^payload\.of\.it must be JSON, not an Error/],
  ['bytes', new Uint8Array([1]), /^payload\.of\.it must be JSON, not a Uint8Array/],
  ['a regular expression', /secret/, /^payload\.of\.it must be JSON, not a RegExp/],
  ['a boxed number', Object(1), /^payload\.of\.it must be JSON, not a Number/],
  ['a circle', circle, /^payload\.of\.it\.self\.self\..*… must be JSON of at most 64 levels/],
  ['a hole in an array', withHole, /^payload\.of\.it\.1 must be JSON, not undefined/],
  ['a toJSON that says nothing', { toJSON: () => undefined }, /^payload\.of\.it must be JSON, not undefined/],
]

test.each(notJson)(
  '%s in a payload is refused with its path, and nothing is sent',
  async (_what, it, words) => {
    await using peer = await startPeer(json(200, { status: 'queued', event_id: 'order-1', queued: 2 }))
    const client = createClient({ baseUrl: peer.url, retry: fast })
    const bad = event(1, { payload: { fine: 1, of: { it } } })
    const error = await failureOf(client.publish(bad))
    expect(error).toBeInstanceOf(Invalid)
    expect(error).toMatchObject({ code: 'invalid_event', message: expect.stringMatching(words) })
    expect((error as Invalid).issues).toMatchObject([{ code: 'not_json' }])
    expect(String(error)).not.toContain('secret')
    const ofBatch = await failureOf(client.publishBatch([event(0), bad]))
    expect(ofBatch).toMatchObject({ issues: [{ index: 1, path: expect.stringMatching(/^payload\.of\.it/) }] })
    expect(peer.received).toEqual([])
  },
)

test('what JSON can say is sent as JSON.stringify writes it', async () => {
  await using peer = await startPeer(json(200, { status: 'queued', event_id: 'order-1' }))
  class Money {
    cents = 5
  }
  const at = new Date(0)
  const shared = { a: 1 }
  const payload = {
    at,
    money: new Money(),
    none: Object.assign(Object.create(null), { x: 1 }),
    twice: [shared, shared],
    deep: [[[{ null: null, yes: true, text: '\ud800', zero: -0 }]]],
    own: { toJSON: () => ({ kept: at }) },
  }
  await createClient({ baseUrl: peer.url }).publish(event(1, { payload }))
  expect(peer.received[0]?.body).toBe(JSON.stringify(event(1, { payload })))
})

test.each<[string, unknown]>([
  ['undefined', undefined],
  ['null', null],
  ['a number', 7],
  ['an array', [event(1), event(2)]],
  ['a function', () => event(1)],
  ['a promise', Promise.resolve(event(1))],
  ['a map', new Map()],
])('%s is no event: it is refused alone, and its neighbours are sent', async (_what, it) => {
  await using peer = await startPeer((response, request, body) =>
    json(200, { status: 'queued', queued: JSON.parse(body).length })(response, request, body),
  )
  const client = createClient({ baseUrl: peer.url, retry: fast })
  const bad = it as never
  expect(await failureOf(client.publish(bad))).toBeInstanceOf(Invalid)
  expect(await failureOf(client.publishBatch([bad]))).toBeInstanceOf(Invalid)
  expect(peer.received).toEqual([])

  await using batcher = client.batcher()
  const outcomes = await Promise.allSettled([event(1), bad, event(2)].map((one) => batcher.publish(one)))
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(await client.publishAll([event(1), bad, event(2)])).toEqual({ queued: 2, refused: 1 })
})

test('an array given to publish is told which method takes it', async () => {
  const client = createClient({ baseUrl: 'http://127.0.0.1:9' })
  expect(await failureOf(client.publish([event(1)] as never))).toMatchObject({
    message: expect.stringContaining('publishBatch'),
  })
})

test('in a lenient batch what is no JSON is refused alone, with its own reason', async () => {
  await using peer = await startPeer(
    json(200, {
      status: 'queued',
      queued: 1,
      invalid: 1,
      events: [{ index: 1, errors: [{ path: '', code: 'invalid_body', message: 'must be a JSON object' }] }],
    }),
  )
  const bad = event(2, { payload: { n: Number.NaN } })
  const answer = await createClient({ baseUrl: peer.url }).publishBatch([event(1), bad], { lenient: true })
  expect(JSON.parse(peer.received[0]?.body ?? '')).toEqual([event(1), null])
  expect(answer.events).toEqual([
    { index: 1, errors: [{ path: 'payload.n', code: 'not_json', message: 'must be JSON, not NaN' }] },
  ])
})
