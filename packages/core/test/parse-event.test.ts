/** Which bodies are an event, and what is said of those that are none. */
import { expect, test } from 'vitest'
import { MalformedJson } from '../src/errors.ts'
import { parseEvent } from '../src/event/parse.ts'
import { limits } from '../src/limits.ts'
import { bodyWithPayload, issuesOf, valid } from './bodies.ts'
import { randomJson, seededRandom } from './random-json.ts'

test('an event is read, its time in UTC, its payload as it was sent', () => {
  expect(parseEvent(bodyWithPayload('{ "n":9007199254740993, "x":1e400, "d":0.10 }'))).toEqual({
    topic: 'orders.eu.paid',
    eventId: 'order-1',
    timestamp: '2025-12-08T10:00:00.123456Z',
    source: 'shop',
    payload: '{ "n":9007199254740993, "x":1e400, "d":0.10 }',
  })
})

test('random payloads come back as they were sent [P8]', () => {
  const random = seededRandom(7)
  for (let round = 0; round < 500; round++) {
    const payload = randomJson(random, 5)
    const body = bodyWithPayload(payload)
    expect(parseEvent(body).payload).toBe(payload)
  }
})

test.each([
  '',
  '{',
  '{"topic":}',
  "{'topic':1}",
  '{"a":1}{"b":2}',
  '{"a":NaN}',
  '{"a":1,}',
  '{"a":"\ud800"}',
  'queued',
])('what is not JSON is malformed: %j', (body) => {
  expect(() => parseEvent(body)).toThrow(MalformedJson)
})

test('a malformed body is not quoted', () => {
  try {
    parseEvent('{"card":"4111-1111"')
    expect.unreachable()
  } catch (error) {
    expect(`${(error as Error).stack} ${String((error as Error).cause)}`).not.toContain('4111')
  }
})

test.each(['[]', 'null', '"text"', '1', '[{"topic":"a"}]'])(
  'JSON that is no object is no event: %s',
  (body) => {
    expect(issuesOf(body)).toEqual([{ path: '', code: 'invalid_body', message: 'must be a JSON object' }])
  },
)

test.each(Object.keys(valid))('%s is required', (field) => {
  const issues = issuesOf(JSON.stringify({ ...valid, [field]: undefined }))
  expect(issues).toEqual([{ path: field, code: 'missing_field', message: 'is required' }])
})

test.each(
  Object.keys(valid).flatMap((field) =>
    [1, null, true, [], ['a'], '\u0000', ''].map((value) => [field, value] as const),
  ),
)('%s cannot be %j', (field, value) => {
  const issues = issuesOf(JSON.stringify({ ...valid, [field]: value }))
  expect(issues.map(({ path, code }) => ({ path, code }))).toEqual([
    { path: field, code: `invalid_${field}` },
  ])
})

test('all fields that do not fit are named at once, without their values', () => {
  const secret = 'secret'.repeat(60)
  const body = {
    topic: `${secret}!`,
    event_id: secret,
    timestamp: secret,
    source: secret,
    payload: secret,
    extra: secret,
  }
  const issues = issuesOf(JSON.stringify(body))
  expect(issues.map((issue) => issue.path)).toEqual([
    'topic',
    'event_id',
    'timestamp',
    'source',
    'payload',
    'extra',
  ])
  expect(JSON.stringify(issues)).not.toContain('secret')
})

test('the answer to a text that is no time says what one looks like', () => {
  expect(issuesOf(JSON.stringify({ ...valid, timestamp: 'yesterday' }))).toEqual([
    {
      path: 'timestamp',
      code: 'invalid_timestamp',
      message:
        'must be ISO 8601 with an offset and at most nine fractional digits, such as 2025-12-08T10:00:00.123456+00:00',
    },
  ])
})

test('a field that Sekali does not know is refused, not dropped', () => {
  expect(issuesOf(JSON.stringify({ ...valid, trace_id: 'x' }))).toMatchObject([
    { path: 'trace_id', code: 'unknown_field' },
  ])
  expect(issuesOf(JSON.stringify(valid).replace('{', '{"__proto__":{},'))).toMatchObject([
    { path: '__proto__' },
  ])
})

test('unknown fields by the thousand make a short answer', () => {
  const extra = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`${'k'.repeat(100)}${i}`, i]))
  const answer = JSON.stringify(issuesOf(JSON.stringify({ ...valid, ...extra })))
  expect(answer.length).toBeLessThan(2_000)
})

test('what is refused is explained, and what has nothing to explain is taken', () => {
  const random = seededRandom(11)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const good = {
    topic: ['a', 'orders.eu', '_.-', 'x'.repeat(limits.topicCharsMax)],
    event_id: ['1', ' ', 'é😀', 'x'.repeat(limits.eventIdCharsMax)],
    timestamp: ['2025-12-08T10:00Z', '2024-02-29T23:59:59,5+07', '0001-01-01T00:00:00.000001-00:00'],
    source: ['shop', '\n', 'x'.repeat(limits.sourceCharsMax)],
    payload: [{}, { payload: 1 }, { a: { b: [null] } }],
  }
  const anyText = ['', '\0', 'a\ud800', 'x'.repeat(limits.eventIdCharsMax + 1), undefined, null, 7, [], {}]
  const bad = {
    topic: [...anyText, 'a.', 'a b', 'é', 'x'.repeat(limits.topicCharsMax + 1)],
    event_id: anyText,
    timestamp: [...anyText, '2025-02-29T00:00Z', '2025-12-08T10:00:60Z', '2025-12-08', '0000-01-01T00:00Z'],
    source: anyText,
    payload: [undefined, null, 'x', 0, [], { a: '\0' }, { '\udc00': 1 }, JSON.parse(depthOf(65))],
  }
  for (let round = 0; round < 3_000; round++) {
    const wrong = Object.keys(good).filter(() => random() < 0.15)
    const fields = Object.entries(good).map(([name, values]) => [
      name,
      pick<unknown>(wrong.includes(name) ? bad[name as keyof typeof bad] : values),
    ])
    if (random() < 0.1) {
      fields.push(['extra', 1])
      wrong.push('extra')
    }
    const paths = new Set(issuesOf(JSON.stringify(Object.fromEntries(fields))).map(({ path }) => path))
    expect([...paths].sort()).toEqual(wrong.sort())
  }
})

const depthOf = (levels: number) => `${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`
const bytesOf = (bytes: number, character = 'x') =>
  `{"a":"${character.repeat((bytes - 8) / Buffer.byteLength(character))}"}`

test.each([
  ['64 levels', depthOf(64), undefined],
  ['65 levels', depthOf(65), 'payload_too_deep'],
  ['10,000 open brackets', `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, 'payload_too_deep'],
  ['256 KiB', bytesOf(limits.payloadBytesMax), undefined],
  ['256 KiB and a byte', bytesOf(limits.payloadBytesMax + 1), 'payload_too_large'],
  ['256 KiB of two-byte characters', bytesOf(limits.payloadBytesMax, 'é'), undefined],
  ['a character more of these', bytesOf(limits.payloadBytesMax + 2, 'é'), 'payload_too_large'],
  ['NUL', '{"a":{"b":["\\u0000"]}}', 'invalid_payload'],
  ['half a pair in a key', '{"\\ud800":1}', 'invalid_payload'],
  ['a whole pair', '{"\\ud83d\\ude00":"😀"}', undefined],
])('a payload of %s: %s', (_, payload, code) => {
  const issues = issuesOf(bodyWithPayload(payload))
  expect(issues.map((issue) => [issue.path, issue.code])).toEqual(
    code === undefined ? [] : [['payload', code]],
  )
})
