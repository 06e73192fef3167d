import type { TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import { expect, test } from 'vitest'
import { decode } from '../src/redis/entry.ts'
import { far } from './sample.ts'

test('an entry that is not wholly of our form is one, whatever is in it', () => {
  const good = ['a', '2026-01-01T00:00:00.000000Z', 's', '{}'].join('\0')
  const decoded = (fields: string[], end = far) =>
    decode('orders' as TopicName, '5-7', fields, end).map(({ position, event }) => [position, event?.eventId])
  const two = ['e', `${good}\0\0${good}`]
  expect(decoded(two, '5-9' as Position)).toEqual([
    ['5-7', 'a'],
    ['5-8', 'a'],
  ])
  // The second id is another's: it is a copy.
  expect(decoded(two, '5-8' as Position)).toEqual([['5-7', undefined]])
  for (const fields of [
    ['e', `${good}\0\0x`],
    ['e', `${good}\0\0`],
    ['e'],
    ['x', good],
    ['e', good, 'e', good],
  ]) {
    expect(decoded(fields)).toEqual([['5-7', undefined]])
  }
})
