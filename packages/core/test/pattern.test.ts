import { expect, test } from 'vitest'
import { isPattern, matches, parsePattern } from '../src/log/pattern.ts'

const topics = [
  'orders',
  'orders.eu',
  'orders.eu.paid',
  'orders.us.paid',
  'orders_eu',
  'x.orders',
  'payments.eu',
]

test.each([
  ['orders', ['orders']],
  ['orders.eu', ['orders.eu']],
  ['orders.*', ['orders.eu']],
  ['orders.>', ['orders.eu', 'orders.eu.paid', 'orders.us.paid']],
  ['orders.*.paid', ['orders.eu.paid', 'orders.us.paid']],
  ['*.eu', ['orders.eu', 'payments.eu']],
  ['*.eu.>', ['orders.eu.paid']],
  ['*', ['orders', 'orders_eu']],
  ['*.*', ['orders.eu', 'x.orders', 'payments.eu']],
  ['*.>', ['orders.eu', 'orders.eu.paid', 'orders.us.paid', 'x.orders', 'payments.eu']],
  ['>', topics],
  ['order', []],
])('%s matches %j', (text, expected) => {
  const pattern = parsePattern(text)
  expect(topics.filter((topic) => matches(pattern, topic))).toEqual(expected)
  expect(pattern.isPattern).toBe(isPattern(text))
  expect(isPattern(text)).toBe(/[*>]/.test(text))
})

test.each([
  '',
  '.',
  'a.',
  '.a',
  'a..b',
  '>.a',
  'a.>.b',
  'a*',
  'a.b*',
  '**',
  '>>',
  'a b',
  'a\n',
  'a.*\n',
  'x'.repeat(129),
])('%j is no pattern', (text) => {
  expect(() => parsePattern(text)).toThrow()
})
