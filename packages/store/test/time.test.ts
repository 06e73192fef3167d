import { utc } from '@sekali/store/time'
import { ownStore } from '@sekali/testkit/own'
import { expect, inject, test } from 'vitest'

test('times come in one form, whatever PostgreSQL leaves out', async () => {
  await using store = await ownStore(inject('postgresUrl'))
  const times = [
    '2025-12-08T10:00:00.123456Z',
    '2025-12-08T10:00:00.120000Z',
    '2025-12-08T00:00:00.000000Z',
    '0001-01-01T00:00:00.000001Z',
    '9999-12-31T23:59:59.999999Z',
  ]
  const { rows } = await store.pool.query<{ time: string }>(
    'SELECT t::timestamptz::text AS time FROM unnest($1::text[]) AS t',
    [times],
  )
  expect(rows.map(({ time }) => utc(time))).toEqual(times)
})

test('a time in another zone or notation is refused', () => {
  for (const time of ['2025-12-08 10:00:00+01', '2025-12-08 10:00:00', '2025-12-08 10:00:00+05:30', '']) {
    expect(() => utc(time)).toThrow()
  }
})
