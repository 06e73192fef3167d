/** What an event's names may be, and how it is shown. */
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { EventId, eventToJson, eventToLine, onOneLine, Source, TopicName } from '../src/event/event.ts'
import { parseEvent } from '../src/event/parse.ts'
import { limits } from '../src/limits.ts'
import { bodyWithPayload } from './bodies.ts'

test.each([
  ['a', true],
  ['orders.eu.paid', true],
  ['user-login', true],
  ['A_9.-', true],
  ['x'.repeat(128), true],
  ['x'.repeat(129), false],
  ['', false],
  ['.a', false],
  ['a.', false],
  ['a..b', false],
  ['a b', false],
  ['a\n', false],
  ['café', false],
  ['orders:eu', false],
  ['*', false],
])('topic %j: %s', (topic, fits) => {
  expect(v.is(TopicName, topic)).toBe(fits)
})

test.each([
  [EventId, limits.eventIdCharsMax],
  [Source, limits.sourceCharsMax],
])('ids and sources are free text of limited length (%#)', (schema, charsMax) => {
  for (const text of ['x', ' ', 'a\nb', 'é😀', 'x'.repeat(charsMax)]) expect(v.is(schema, text)).toBe(true)
  for (const text of ['', 'a\u0000b', '\ud800', '\ude00\ud83d', 'x'.repeat(charsMax + 1)]) {
    expect(v.is(schema, text)).toBe(false)
  }
})

test('a stored event is shown with its payload untouched [P8]', () => {
  const event = parseEvent(bodyWithPayload('{"n":9007199254740993,"d":0.10}').replace('shop', 'a \\"shop\\"'))
  const received = '2025-12-08T10:00:01.000000Z'
  const json = eventToJson({ ...event, seq: 42, receivedAt: received, storedAt: received })
  expect(json).toBe(
    '{"topic":"orders.eu.paid","event_id":"order-1","timestamp":"2025-12-08T10:00:00.123456Z",' +
      '"source":"a \\"shop\\"","payload":{"n":9007199254740993,"d":0.10},"seq":42,' +
      `"received_at":"${received}","stored_at":"${received}"}`,
  )
})

test('on one line an event is the same value, whatever line breaks its payload came with [P8]', () => {
  const payload = '{\r\n  "text": "a\\nb",\n  "big": 9007199254740993\r}'
  const event = parseEvent(
    `{"topic":"a","event_id":"b","timestamp":"2025-12-08T10:00:00Z","source":"c","payload":${payload}}`,
  )
  const stored = { ...event, seq: 1, receivedAt: event.timestamp, storedAt: event.timestamp }
  expect(eventToJson(stored)).toContain(payload)
  expect(eventToLine(stored)).not.toMatch(/[\r\n]/)
  expect(eventToLine(stored)).toContain('9007199254740993')
  expect(JSON.parse(eventToLine(stored))).toEqual(JSON.parse(eventToJson(stored)))
})

test('on one line no character ends the line for anybody, and strings are the same strings [P8]', () => {
  const payload =
    '{"a":"1\u00852\u20283\u20294","b":"\\\\\u2028","c":"\\u2028","\u2029":"\u2027\u202a\u0084"}'
  const line = onOneLine(payload)
  expect(line).toBe(
    '{"a":"1\\u00852\\u20283\\u20294","b":"\\\\\\u2028","c":"\\u2028","\\u2029":"\u2027\u202a\u0084"}',
  )
  expect(JSON.parse(line)).toEqual(JSON.parse(payload))
})
