import { readNotLoaded, reportNotLoaded } from '@sekali/store/not-loaded'
import { ownStore } from '@sekali/testkit/own'
import { expect, test } from 'vitest'

const file = (name: string, message = 'no', line: number | null = null) => ({ file: name, line, message })

test('what a projector reports takes the place of what it reported before, and is forgotten when it falls silent', async () => {
  await using store = await ownStore()
  expect(await readNotLoaded(store)).toEqual([])
  await reportNotLoaded(store, 'one', [file('b.ts', 'it\u2028is "wrong" \\ {}', 3), file('a.ts')])
  await reportNotLoaded(store, 'two', [file('c.ts')])
  expect(await readNotLoaded(store)).toEqual([
    file('a.ts'),
    file('b.ts', 'it\u2028is "wrong" \\ {}', 3),
    file('c.ts'),
  ])
  await reportNotLoaded(store, 'one', [file('a.ts', 'worse', 7)])
  expect(await readNotLoaded(store)).toEqual([file('a.ts', 'worse', 7), file('c.ts')])
  await reportNotLoaded(store, 'two', [file('a.ts', 'newest')])
  expect(await readNotLoaded(store)).toEqual([file('a.ts', 'newest')])
  await reportNotLoaded(store, 'two', [])
  expect(await readNotLoaded(store)).toEqual([file('a.ts', 'worse', 7)])
  await store.pool.query("UPDATE projections.not_loaded SET reported_at = now() - interval '61 s'")
  expect(await readNotLoaded(store)).toEqual([])
  await reportNotLoaded(store, 'two', [])
  const { rows } = await store.pool.query('SELECT FROM projections.not_loaded')
  expect(rows).toEqual([])
})
