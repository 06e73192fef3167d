import type { Folded } from '@sekali/projection/fold'
import { event } from '@sekali/testkit/sample'
import { expect, test } from 'vitest'
import { isAnswerTo } from '../src/definitions/is-answer.ts'

const events = [1, 2, 3].map((seq) => ({ ...event(), seq, receivedAt: '', storedAt: '' }))
const [first, , third] = events as [(typeof events)[0], unknown, (typeof events)[0]]
const isOne = isAnswerTo(events, new Set(['a']))
const whole = { states: new Map([['a', '1']]), count: 3 }
const refusalOf = (of: typeof first) => ({ event: of, message: 'no' })

test.each<[string, Folded]>([
  ['all events', whole],
  ['all but the last', { ...whole, count: 2, failure: refusalOf(third) }],
  ['one skipped', { ...whole, skipped: { count: 1, last: refusalOf(first) } }],
])('the answer of a fold is taken: %s', (_, folded) => expect(isOne(folded)).toBe(true))

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['a word', 'all'],
  ['more events than there were', { ...whole, count: 4 }],
  ['fewer than none', { ...whole, count: -1, failure: refusalOf(first) }],
  ['a part of an event', { ...whole, count: 0.5 }],
  ['not all, and no reason', { ...whole, count: 2 }],
  ['a reason that is another event', { ...whole, count: 2, failure: refusalOf(first) }],
  ['a reason without words', { ...whole, count: 2, failure: { event: third } }],
  ['a key that was not asked for', { ...whole, states: new Map([['b', '1']]) }],
  ['a state that is no text', { ...whole, states: new Map([['a', 1]]) }],
  ['states that are no map', { ...whole, states: { a: '1' } }],
  ['more skipped than counted', { ...whole, skipped: { count: 4, last: refusalOf(first) } }],
  ['a skipped event of others', { ...whole, skipped: { count: 1, last: refusalOf({ ...first, seq: 9 }) } }],
])('an answer that no fold gives is not taken: %s', (_, folded) => {
  expect(isOne(folded as Folded)).toBe(false)
})
