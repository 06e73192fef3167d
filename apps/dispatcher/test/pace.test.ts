/** How much goes out, and when again: pure, with a clock of the test's. */
import { expect, test } from 'vitest'
import { createKnown } from '../src/endpoint/known.ts'
import { createOutcomes } from '../src/endpoint/outcomes.ts'
import { createPace } from '../src/endpoint/pace.ts'
import { createSharedSlots } from '../src/endpoint/shared-slots.ts'
import { createSlots } from '../src/endpoint/slots.ts'
import { delayAfter, retryAfterOf } from '../src/send/delay.ts'

test('after a pause it is one, then twice as many for each window of successes', () => {
  const pace = createPace(() => 0)
  pace.set(10, null)
  const rooms: number[] = []
  for (let n = 0; n < 16; n++) {
    rooms.push(pace.room(0))
    pace.onSuccess()
  }
  expect(rooms).toEqual([1, 2, 2, 4, 4, 4, 4, 8, 8, 8, 8, 8, 8, 8, 8, 10])
  expect(pace.room(4)).toBe(6)
  pace.restart()
  expect(pace.room(0)).toBe(1)
  pace.onFailure()
  expect(pace.room(0)).toBe(1)
  pace.onSuccess()
  pace.onSuccess()
  pace.onFailure()
  pace.onSuccess()
  expect(pace.room(0)).toBe(2)
})

test('in no second more than the rate begins', () => {
  let now = 0
  const pace = createPace(() => now)
  pace.set(200, 100)
  for (let n = 0; n < 400; n++) pace.onSuccess()
  const begun: number[] = []
  for (; now < 3_000; now += 7) {
    const room = pace.room(0)
    pace.onBegun(room)
    for (let n = 0; n < room; n++) begun.push(now)
  }
  for (const from of begun) {
    expect(begun.filter((at) => at >= from && at < from + 1_000).length).toBeLessThanOrEqual(100)
  }
  expect(begun.length).toBeGreaterThan(250)
  expect(pace.waitMs()).toBeLessThanOrEqual(11)
})

test('retries have a quarter, and a single slot is for both in turn', () => {
  const slots = createSlots()
  slots.set(8)
  expect(slots.room(8, true, true)).toEqual({ firstMax: 6, againMax: 2, max: 8 })
  slots.take(false)
  slots.take(false)
  expect(slots.room(6, true, true)).toEqual({ firstMax: 6, againMax: 0, max: 6 })
  slots.set(1)
  slots.free(false)
  slots.free(false)
  const kinds = Array.from({ length: 4 }, () => slots.room(1, true, true).firstMax)
  expect(kinds.toSorted()).toEqual([0, 0, 1, 1])
  expect(slots.room(1, false, true)).toEqual({ firstMax: 0, againMax: 1, max: 1 })
})

test('waits are the steps, a fifth more or less, and what an endpoint asks for between once and twice the step', () => {
  const steps = [5, 300]
  const between = (attempt: number, asked?: number) =>
    [0, 0.5, 0.999].map((at) => delayAfter(attempt, steps, asked, () => at))
  expect(between(1)).toEqual([4, 5, 6])
  expect(between(2)).toEqual([240, 300, 360])
  expect(between(3)).toEqual([undefined, undefined, undefined])
  expect(between(2, 10)).toEqual([300, 330, 360])
  expect(between(2, 400)).toEqual([400, 440, 480])
  expect(between(2, 86_400)).toEqual([600, 600, 600])
})

test('Retry-After is seconds or a time', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  expect(retryAfterOf('120', now)).toBe(120)
  expect(retryAfterOf('Thu, 01 Jan 2026 00:02:00 GMT', now)).toBe(120)
  expect(retryAfterOf('Wed, 31 Dec 2025 00:00:00 GMT', now)).toBe(0)
  for (const text of ['soon', '-1', '1.5', '2026-01-01', '99999999999', undefined]) {
    expect(retryAfterOf(text, now)).toBeUndefined()
  }
  // PostgreSQL would not take more seconds than an integer has.
  for (const text of ['Fri, 31 Dec 9999 23:59:59 GMT', '999999999', '172801']) {
    expect(retryAfterOf(text, now)).toBe(2 * 86_400)
  }
  expect(retryAfterOf('Fri, 99 Dec 2026 00:00:00 GMT', now)).toBeUndefined()
})

test('what one endpoint may begin is no other’s while it is handed events, but one of each', () => {
  const shared = createSharedSlots(10, 1_000)
  expect([0, 0, 0, 1].map((own) => shared.reserve(8, own))).toEqual([8, 2, 1, 0])
  shared.giveBack(8)
  for (let n = 0; n < 3; n++) shared.take(1)
  expect(shared.sending).toBe(3)
  expect(shared.reserve(8, 0)).toBe(4)
  shared.giveBack(7)
  shared.free(1)
  expect(shared.reserve(20, 1)).toBe(8)
})

test('where as many bytes are on their way as may be, an endpoint begins one at a time', () => {
  const shared = createSharedSlots(10, 1_000)
  shared.take(1_000)
  expect([0, 1].map((own) => shared.reserve(8, own))).toEqual([1, 0])
  shared.giveBack(1)
  shared.free(1_000)
  expect(shared.reserve(8, 1)).toBe(8)
})

test('one turn writes down what came of a thousand events, or of one request of more', () => {
  const outcomes = createOutcomes(0)
  const add = (events: number) => {
    const also = Array.from({ length: events - 1 }, (_, seq) => ({ token: 't', topicId: 1, epoch: 1, seq }))
    outcomes.add({ token: 't', also, do: 'ack' })
  }
  for (const events of [500, 500, 1, 2_000, 1]) add(events)
  const taken = () => outcomes.take().map(({ also = [] }) => also.length + 1)
  expect([taken(), taken(), taken(), taken()]).toEqual([[500, 500], [1], [2_000], [1]])
  expect([outcomes.count, outcomes.waitMs()]).toEqual([0, undefined])
})

test('after a turn that came to nothing the next one waits, unless an answer makes room', () => {
  let now = 0
  const known = createKnown(() => now)
  const more = { moreFirst: true, moreAgain: false, heldBack: false }
  const said = { state: 'given', items: [], nextDueInMs: null, ...more } as const
  const afterTurn = (settled: number, firstMax = 1) => {
    known.begin()
    known.onTurn(said, { settled, firstMax, againMax: 1 })
    return known.mayFirst
  }
  expect([afterTurn(0), known.dueInMs()]).toEqual([false, 250])
  known.onNews('first')
  now = 249
  expect(known.mayFirst).toBe(false)
  now = 250
  expect(known.mayFirst).toBe(true)
  expect(afterTurn(1)).toBe(true)
  expect(afterTurn(0, 0)).toBe(true) // nobody has asked for these
  expect(afterTurn(0)).toBe(false)
  known.onAnswer()
  expect(known.mayFirst).toBe(true)
})

test('an endpoint for which there seldom is anything is looked at more seldom, until something is found', () => {
  let now = 0
  const known = createKnown(() => now)
  const said = {
    state: 'given',
    nextDueInMs: null,
    moreFirst: false,
    moreAgain: false,
    heldBack: false,
  } as const
  const waitAfter = (items: number, settled = 0) => {
    known.begin()
    known.onTurn({ ...said, items: Array(items).fill({}) }, { settled, firstMax: 1, againMax: 1 })
    known.onNews('first')
    let ms = 0
    while (!known.mayFirst) {
      ms += 1
      now += 1
    }
    return ms
  }
  expect([0, 0, 0, 0, 0, 0, 0, 0].map((items) => waitAfter(items))).toEqual([1, 2, 4, 8, 16, 32, 64, 64])
  expect([waitAfter(1), waitAfter(0), waitAfter(0)]).toEqual([0, 1, 2])
  expect([waitAfter(0, 1), waitAfter(0)]).toEqual([0, 1]) // it has written something down
})
