import { expect, test } from 'vitest'
import { createResume } from '../src/read/resume.ts'
import { stored } from './sample.ts'

const event = stored(42)
const { payload: _, seq, ...rest } = event
const head = '{"topic":"order","event_id":"e","timestamp":"t","source":"s"'
const end = '"seq":42,"received_at":"r","stored_at":"s"'

test.each([
  ['as a gateway writes it', JSON.stringify(event)],
  ['with a field behind it that is not known yet', JSON.stringify({ ...event, type: 'paid' })],
  [
    'with several, of every kind',
    JSON.stringify({ ...event, a: null, b: -1.5e3, c: { seq: 7 }, d: ['}', '"'] }),
  ],
  ['with a string that looks like the end of an event', JSON.stringify({ ...event, type: '},"seq":7}' })],
  ['with its payload last', JSON.stringify({ ...rest, seq, payload: { seq: 7 } })],
  ['with its seq first', JSON.stringify({ seq, ...rest, payload: { a: { seq: 7 } } })],
  ['with its topic behind its seq', `{"seq":42,"payload":{"seq":7},"topic":"order"}`],
  [
    'with an end like an event’s in its payload',
    `${head},"payload":{"a":{},"seq":7,"stored_at":"s"},${end}}`,
  ],
  ['with a brace in its source', `{"topic":"order","payload":{},"source":"}",${end}}`],
  ['with white space', JSON.stringify({ ...event, type: 1 }, undefined, 1)],
])('an event %s is read past', (_, line) => {
  const resume = createResume({ topic: 'order' })
  resume.passed(line)
  expect(resume.after()).toBe(42)
})

test.each([
  ['last, as a gateway writes it', JSON.stringify({ ...event, epoch: 2 })],
  ['before a field that is not known yet', JSON.stringify({ ...event, epoch: 2, type: 'paid' })],
  ['before its seq', JSON.stringify({ epoch: 2, ...event })],
  ['behind its payload', JSON.stringify({ ...rest, payload: { seq: 7, epoch: 3 }, epoch: 2, seq })],
])('the epoch of an event, %s, goes before its seq', (_, line) => {
  for (const [topic, after] of [
    ['order', '2.42'],
    ['>', 'order:2.42'],
  ]) {
    const resume = createResume({ topic: topic ?? '' })
    resume.passed(line)
    expect(resume.after()).toBe(after)
  }
})

test.each([
  '',
  '{',
  '[]',
  'null',
  '{"topic":"order"}',
  '{"seq":42}',
  '{"topic":"order","payload":{},"seq":"42"}',
])('a line that is no event, %j, is refused', (line) => {
  const resume = createResume({ topic: 'order' })
  expect(() => resume.passed(line)).toThrow('a line that is no event')
})

test('the payload of a line is not read, however large it is', () => {
  const payload = { text: '{"seq":7,'.repeat(20_000) }
  const line = JSON.stringify({ ...event, payload, type: 'paid' })
  const resume = createResume({ topic: '>' })
  const startedAt = performance.now()
  for (let round = 0; round < 10_000; round++) resume.passed(line)
  // Parsed, 10,000 of these lines take seconds.
  expect(performance.now() - startedAt).toBeLessThan(500)
  expect(resume.after()).toBe('order:42')
})
