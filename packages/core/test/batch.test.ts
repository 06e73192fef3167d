import { expect, test } from 'vitest'
import { InvalidBatch, InvalidEvent, MalformedJson } from '../src/errors.ts'
import { parseEvents } from '../src/event/parse.ts'

const one = (id: string, payload = '{}', more = '') =>
  `{"topic":"t","event_id":${JSON.stringify(id)},"timestamp":"2025-01-01T00:00:00Z","source":"s","payload":${payload}${more}}`

const refusal = (body: string) => {
  try {
    parseEvents(body)
  } catch (error) {
    if (error instanceof InvalidEvent) return error.issues
    throw error
  }
  throw new Error('it was taken')
}

test('each event of an array keeps the text of its own payload [P8]', () => {
  const payloads = [
    '{"n":12345678901234567890}',
    '{ "a" : [1, {"b":"},{"}] }',
    '{}',
    '{"payload":{"x":0.10}}',
  ]
  const body = `[ ${payloads.map((payload, index) => one(`e${index}`, payload)).join(' ,\n')} ]`
  const events = parseEvents(body)
  expect(events.map(({ payload }) => payload)).toEqual(payloads)
  expect(events.map(({ eventId }) => eventId)).toEqual(['e0', 'e1', 'e2', 'e3'])
})

test('everything that does not fit is named by index and path, and nothing is taken', () => {
  const deep = `{"a":${'['.repeat(64)}${']'.repeat(64)}}`
  const body = `[${one('a')},${one('', '{"x":"\\u0000"}')},7,[{"payload":{}}],${one('e', deep)},${one('f', '{}', ',"extra":1')},${one('g')}]`
  expect(refusal(body).map(({ index, path, code }) => `${index} ${path} ${code}`)).toEqual([
    '1 event_id invalid_event_id',
    '1 payload invalid_payload',
    '2  invalid_body',
    '3  invalid_body',
    '4 payload payload_too_deep',
    '5 extra unknown_field',
  ])
})

test("an event without a payload does not borrow its neighbour's", () => {
  const without = '{"topic":"t","event_id":"x","timestamp":"2025-01-01T00:00:00Z","source":"s"}'
  expect(refusal(`[${one('a')},${without},${one('b')}]`)).toEqual([
    { index: 1, path: 'payload', code: 'missing_field', message: 'is required' },
  ])
})

test('an array has 1 to 5,000 events, and is JSON as a whole', () => {
  expect(
    parseEvents(`[${Array.from({ length: 5_000 }, (_, index) => one(`e${index}`)).join()}]`),
  ).toHaveLength(5_000)
  expect(() =>
    parseEvents(`[${Array.from({ length: 5_001 }, (_, index) => one(`e${index}`)).join()}]`),
  ).toThrow(InvalidBatch)
  expect(() => parseEvents('[]')).toThrow(InvalidBatch)
  for (const body of ['[', `[${one('a')},]`, `[${one('a')}`, `${one('a')}]`, `[${one('a')} ${one('b')}]`]) {
    expect(() => parseEvents(body)).toThrow(MalformedJson)
  }
})
