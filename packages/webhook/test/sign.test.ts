/** Deliveries are signed as Standard Webhooks says; two libraries of others are the judges. */
import { createHash } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import { expect, test } from 'vitest'
import { isSecret, newSecret, sign, signingKeyOf, verify, webhookId } from '../src/sign.ts'

const body =
  '{"type":"orders","timestamp":"2026-01-01T00:00:00.000000Z","data":{"n":12345678901234567890,"t":"ä\\u0000"}}'
const nowMs = Date.now()
const timestampSeconds = Math.floor(nowMs / 1_000)
const id = webhookId('orders', 'e.1')

const headersOf = (secrets: readonly string[]) => ({
  'webhook-id': id,
  'webhook-timestamp': String(timestampSeconds),
  'webhook-signature': sign({ id, timestampSeconds, body }, secrets.map(signingKeyOf)),
})

const judges = {
  standardwebhooks: (secret: string, text: string, headers: Record<string, string>) =>
    new Webhook(secret).verify(text, headers),
  svix: (secret: string, text: string, headers: Record<string, string>) =>
    new SvixWebhook(secret).verify(text, headers),
  ours: (secret: string, text: string, headers: Record<string, string>) => {
    const verdict = verify(
      {
        id: headers['webhook-id'] ?? '',
        timestamp: headers['webhook-timestamp'] ?? '',
        signature: headers['webhook-signature'] ?? '',
        body: text,
      },
      [secret],
    )
    if (verdict !== 'ok') throw new Error(verdict)
  },
}

for (const [name, judge] of Object.entries(judges)) {
  test(`${name} accepts what is signed, with either secret of a rotation, and nothing that was touched`, () => {
    const [newer, older, other] = [newSecret(), newSecret(), newSecret()]
    const headers = headersOf([newer, older])
    judge(newer, body, headers)
    judge(older, body, headers)
    expect(() => judge(other, body, headers)).toThrow()
    expect(() => judge(newer, body.replace('1', '2'), headers)).toThrow()
    expect(() => judge(newer, `${body} `, headers)).toThrow()
    expect(() => judge(newer, body, { ...headers, 'webhook-id': webhookId('orders', 'e.2') })).toThrow()
    const later = String(timestampSeconds + 1)
    expect(() => judge(newer, body, { ...headers, 'webhook-timestamp': later })).toThrow()
    expect(() => judge(newer, body, { ...headers, 'webhook-signature': 'v2,abc' })).toThrow()
  })

  test(`${name} refuses what was signed long ago, or in the future`, () => {
    const secret = newSecret()
    for (const seconds of [timestampSeconds - 400, timestampSeconds + 400]) {
      const signature = sign({ id, timestampSeconds: seconds, body }, [signingKeyOf(secret)])
      const headers = {
        'webhook-id': id,
        'webhook-timestamp': String(seconds),
        'webhook-signature': signature,
      }
      expect(() => judge(secret, body, headers)).toThrow()
    }
  })
}

test('an id is the same for an event whatever its seq, and another for another topic or event', () => {
  const digest = createHash('sha256').update('orders\0e.1').digest('base64url')
  expect(id).toBe(`evt_${digest.slice(0, 27)}`)
  const ids = [id, webhookId('orders', 'e.2'), webhookId('orders.e', '1'), webhookId('order', 's\0e.1')]
  expect(new Set(ids).size).toBe(4)
  for (const one of ids) expect(one).toMatch(/^evt_[A-Za-z0-9_-]{27}$/)
})

test('a secret has 24 to 64 bytes, and what has not signs nothing', () => {
  expect(isSecret(newSecret())).toBe(true)
  const of = (bytes: number) => `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`
  expect([23, 24, 64, 65].map((bytes) => isSecret(of(bytes)))).toEqual([false, true, true, false])
  for (const text of ['', 'whsec_', 'whsec_!!', of(32).slice('whsec_'.length), `${of(32)} `]) {
    expect(isSecret(text)).toBe(false)
    expect(() => signingKeyOf(text)).toThrow(TypeError)
  }
  expect(() => sign({ id, timestampSeconds, body }, [])).toThrow(TypeError)
})

test('what cannot be checked says so', () => {
  const signed = { id, timestamp: String(timestampSeconds), signature: 'v1,AAAA', body }
  expect(verify({ ...signed, timestamp: 'now' }, [newSecret()])).toBe('malformed')
  expect(verify({ ...signed, signature: '' }, [newSecret()])).toBe('malformed')
  expect(verify(signed, ['nonsense'])).toBe('malformed')
  expect(verify(signed, [newSecret()])).toBe('no_match')
})
