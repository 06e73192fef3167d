import { expect, test } from 'vitest'
import { bodyOf, notJsonWords } from '../src/text/draft.ts'
import { utcOf } from '../src/text/instant.ts'
import { lonely } from '../src/text/lonely.ts'
import { rateOf, type Sample } from '../src/text/samples.ts'
import { eventOf, eventsOf } from '../src/text/slices.ts'
import { sortRows } from '../src/text/sort.ts'
import {
  agoText,
  axisTimes,
  bytesText,
  countText,
  durationText,
  listText,
  rateText,
  shortText,
  zoneText,
} from '../src/text/words.ts'

const head = '"topic":"a.b","event_id":"\\u202e","source":"s","timestamp":"2025-12-08T10:00:00.000000Z"'
const tail = '"seq":7,"received_at":"2025-12-08T10:00:01.000000Z","stored_at":"2025-12-08T10:00:02.000000Z"'

test('the payload of an event is the text that was sent, to the last blank', () => {
  const payload =
    '{ "big": 9007199254740993,\n "price": 12.50, "__proto__": {"a": "}]\\"" }, "a": 1, "a": 2 }'
  const event = eventOf(`{${head},"payload":${payload},${tail}}`)
  expect(event).toMatchObject({ topic: 'a.b', event_id: '\u202e', seq: 7, payload })
  expect(eventsOf(`[{${head},"payload":${payload},${tail}},{${head},"payload":{},${tail}}]`)).toMatchObject([
    { payload },
    { payload: '{}' },
  ])
  expect(eventsOf('[]')).toEqual([])
})

test('what is cut off is no event', () => {
  expect(() => eventOf(`{${head},"payload":{`)).toThrow(SyntaxError)
  expect(() => eventsOf(`[{${head}}`)).toThrow(SyntaxError)
})

test('a draft is sent with its payload as it was typed, and refused if that is not JSON', () => {
  const draft = { topic: 't', event_id: '"', source: 's', timestamp: 'now' }
  expect(bodyOf({ ...draft, payload: '{"n": 1.0}' })).toBe(
    '{"topic":"t","event_id":"\\"","source":"s","timestamp":"now","payload":{"n": 1.0}}',
  )
  expect(() => bodyOf({ ...draft, payload: '{}, "topic": "other"' })).toThrow(SyntaxError)
})

test('what is not known is said to be unknown, and never 0', () => {
  expect([countText(null), rateText(undefined), bytesText(null)]).toEqual(['unknown', 'unknown', 'unknown'])
  expect([countText(0), rateText(0), bytesText(0)]).toEqual(['0', '0/s', '0 B'])
})

test('figures are read at a glance', () => {
  expect(countText(1_234_567)).toBe('1,234,567')
  expect([0.04, 0.25, 9.96, 1_234.5].map(rateText)).toEqual(['< 0.1/s', '0.3/s', '10/s', '1,235/s'])
  expect([512, 1_536, 262_144].map(bytesText)).toEqual(['512 B', '1.5 KiB', '256 KiB'])
  expect([7, 1_500, 200_000, 3_600_000, 90_000_000].map(durationText)).toEqual([
    '7 ms',
    '1 s',
    '3 min 20 s',
    '1 h',
    '1 d 1 h',
  ])
  const ago = (ms: number) => agoText(1e12 - ms, 1e12)
  expect([500, 5_000, 61_000, 7_200_000, -120_000].map(ago)).toEqual([
    'now',
    '5 s ago',
    '1 min ago',
    '2 h ago',
    'in 2 min',
  ])
})

test('why a payload is not JSON is said once', () => {
  const wordsOf = (text: string) => {
    try {
      return JSON.parse(text)
    } catch (error) {
      return notJsonWords(error)
    }
  }
  expect(wordsOf('{"a": x, "b": "and so on, and on, and on"}')).toBe("is not JSON: unexpected token 'x'")
  expect(wordsOf('x')).toBe("is not JSON: unexpected token 'x'")
  expect(wordsOf('{')).toMatch(/^is not JSON: expected property name/)
})

test('the clock of the viewer is named by how it differs from UTC', () => {
  const zone = (minutes: number) => zoneText({ getTimezoneOffset: () => -minutes })
  expect([0, 120, -210, 330].map(zone)).toEqual(['UTC', 'UTC+2', 'UTC−3:30', 'UTC+5:30'])
})

test('the marks of an axis say what they are at, and none is named twice', () => {
  expect([0, 0.25, 0.5, 0.75, 12_300].map(shortText)).toEqual(['0', '0.25', '0.5', '0.75', '12.3K'])
  const at = new Date(2026, 0, 31, 8, 55).getTime() / 1_000
  expect(axisTimes([at, at + 30, at + 60])).toEqual(['8:55:00', '8:55:30', '8:56:00'])
  expect(axisTimes([at, at + 600])).toEqual(['8:55', '9:05'])
})

test('a value with nothing known beside it is a point of its own', () => {
  expect(lonely([1, null, 2, 3, null, 4])).toEqual([0, 5])
  expect(lonely([])).toEqual([])
})

test('names are listed as people say them', () => {
  expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(listText)).toEqual(['', 'a', 'a and b', 'a, b and c'])
})

test('rows are sorted with what is not known at the end, whichever way round', () => {
  const rows = [3, null, 1, 2]
  const by = (row: number | null) => row
  expect(sortRows(rows, by, false)).toEqual([1, 2, 3, null])
  expect(sortRows(rows, by, true)).toEqual([3, 2, 1, null])
})

test('rates come of two readings; where one is not known there is none', () => {
  const at = (seconds: number, accepted: number | null): Sample => ({
    atMs: seconds * 1_000,
    accepted: new Map([['t', accepted]]),
  })
  expect(rateOf(at(0, 10), at(5, 60), 't')).toBe(10)
  expect(rateOf(at(5, 60), at(10, null), 't')).toBe(null)
  expect(rateOf(at(10, null), at(15, 80), 't')).toBe(null)
  expect(rateOf(at(15, 80), at(20, 80), 't')).toBe(0)
  expect(rateOf(at(0, 10), at(5, 60), 'another')).toBe(null)
  expect(rateOf(undefined, at(5, 60), 't')).toBe(null)
})

test('a time may be typed as how long ago, in the day of the viewer, or with an offset', () => {
  const now = Date.UTC(2026, 0, 31, 12)
  expect(utcOf('2h', now)).toBe('2026-01-31T10:00:00.000Z')
  expect(utcOf('2026-01-31 14:00', now)).toBe(new Date(2026, 0, 31, 14).toISOString())
  expect(utcOf('2026-01-31', now)).toBe(new Date(2026, 0, 31).toISOString())
  expect(utcOf('2026-01-31T14:00:00.123456+02:00', now)).toBe('2026-01-31T14:00:00.123456+02:00')
  expect([utcOf(' ', now), utcOf('yesterday', now), utcOf('2026-13-45', now)]).toEqual([
    '',
    undefined,
    undefined,
  ])
})
