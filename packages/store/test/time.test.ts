import { ownStore } from '@sekali/testkit/own'
import { expect, test } from 'vitest'
import { type Store, withTransaction } from '../src/postgres/connect.ts'
import { copyRows } from '../src/postgres/copy-rows.ts'
import type { DataRefused } from '../src/postgres/errors.ts'
import { utc } from '../src/postgres/time.ts'

test('times come in one form, whatever PostgreSQL leaves out', async () => {
  await using store = await ownStore()
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

/** What becomes of a time that is written in the binary format, or the SQLSTATE that refuses it. */
async function written(store: Store, time: string): Promise<string> {
  try {
    return await withTransaction(store, 'test', async (tx) => {
      await tx.$client.query(
        'CREATE TEMPORARY TABLE IF NOT EXISTS times (time timestamptz) ON COMMIT DELETE ROWS',
      )
      await copyRows(tx, 'times (time)', [time], (to, text) => {
        to.row(1)
        to.time(text)
      })
      const { rows } = await tx.$client.query<{ time: string }>('SELECT time::text FROM times')
      return utc(String(rows[0]?.time))
    })
  } catch (error) {
    return String((error as DataRefused).sqlState)
  }
}

test('a time that is written in binary is the one that PostgreSQL reads in the text', async () => {
  await using store = await ownStore()
  const inText = async (time: string): Promise<string> => {
    try {
      const { rows } = await store.pool.query<{ time: string }>('SELECT $1::timestamptz::text AS time', [
        time,
      ])
      return utc(String(rows[0]?.time))
    } catch (error) {
      return String((error as { code: unknown }).code)
    }
  }
  const days = [
    '0001-01-01',
    '0099-12-31',
    '1900-02-28',
    '1900-02-29',
    '1999-12-31',
    '2000-02-29',
    '2024-02-29',
  ]
  days.push('2025-02-29', '2025-04-31', '2025-13-01', '2025-00-01', '2025-01-00', '0000-01-01', '9999-12-31')
  const hours = [
    '00:00:00.000000',
    '23:59:59.999999',
    '23:59:60.000000',
    '24:00:00.000000',
    '24:00:00.000001',
  ]
  hours.push('12:60:00.000000', '12:00:61.000000', '25:00:00.000000', '07:08:09.010203')
  const times = days.flatMap((day) => hours.map((hour) => `${day}T${hour}Z`))
  const late = times.filter(
    (time) => !time.startsWith('9999-12-31T23:59:60') && !time.startsWith('9999-12-31T24'),
  )
  for (const time of late) expect([time, await written(store, time)]).toEqual([time, await inText(time)])
})

test('a time in another zone or notation is refused', () => {
  for (const time of ['2025-12-08 10:00:00+01', '2025-12-08 10:00:00', '2025-12-08 10:00:00+05:30', '']) {
    expect(() => utc(time)).toThrow()
  }
})
