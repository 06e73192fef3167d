/** Several events in one body, which two libraries of others accept as they accept one. */
import { createHash } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import { expect, test } from 'vitest'
import { arrayBody, standardBody, standardElement } from '../src/body.ts'
import { batchId, newSecret, sign, signingKeyOf, webhookId } from '../src/sign.ts'

const payload = '{"n":12345678901234567890,\n "d":1.10,"t":"ä\\u0000"}'
const event = { topic: 'orders', timestamp: '2026-01-01T00:00:00.000000Z', payload } as const
const told = { ...event, topic: event.topic as never }
const ids = [1, 2, 3].map((n) => webhookId('orders', `e.${n}`))

test('an array is its elements as they are, each with its id in front', () => {
  const one = `{"id":"${ids[0]}","type":"orders","timestamp":"2026-01-01T00:00:00.000000Z","data":${payload}}`
  expect(standardElement(told, String(ids[0]))).toBe(one)
  expect(one).toBe(standardBody(told).replace('{', `{"id":"${ids[0]}",`))
  expect(arrayBody([one])).toBe(`[${one}]`)
  expect(arrayBody([one, one])).toBe(`[${one},${one}]`)
})

test('the id of an array is that of its one event, or follows from all of them', () => {
  const [first = '', second = '', third = ''] = ids
  expect(batchId([first])).toBe(first)
  const digest = createHash('sha256').update(ids.join('\0')).digest('base64url')
  expect(batchId(ids)).toBe(`batch_${digest.slice(0, 27)}`)
  const all = [ids, [first, second], [second, first], [second, third]].map(batchId)
  expect(new Set(all).size).toBe(4)
  for (const id of all) expect(id).toMatch(/^batch_[A-Za-z0-9_-]{27}$/)
})

const judges = {
  standardwebhooks: (secret: string) => new Webhook(secret),
  svix: (secret: string) => new SvixWebhook(secret),
}

for (const [name, judge] of Object.entries(judges)) {
  test(`${name} accepts an array, and none that was touched`, () => {
    const secret = newSecret()
    const body = arrayBody(ids.map((id) => standardElement(told, id)))
    const timestampSeconds = Math.floor(Date.now() / 1_000)
    const id = batchId(ids)
    const headers = {
      'webhook-id': id,
      'webhook-timestamp': String(timestampSeconds),
      'webhook-signature': sign({ id, timestampSeconds, body }, [signingKeyOf(secret)]),
    }
    judge(secret).verify(body, headers)
    const fewer = arrayBody(ids.slice(1).map((one) => standardElement(told, one)))
    expect(() => judge(secret).verify(fewer, headers)).toThrow()
    expect(() => judge(secret).verify(body, { ...headers, 'webhook-id': ids[0] ?? '' })).toThrow()
  })
}
