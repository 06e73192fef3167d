import { expect, test } from 'vitest'
import { narrateNotices } from '../src/system/notices.ts'

test('a projection that has stopped is said, and of a file that does not load its place', () => {
  const said: string[] = []
  const hear = narrateNotices('defs', (what, happens) => void said.push(`${what} ${happens}`))
  const file = { file: 'a.ts', line: 3, message: 'no' }
  hear('one', { stopped: { name: 'totals', topic: 'orders.eu', seq: 2, message: 'Error: no' } })
  hear('one', { notLoaded: [file] })
  hear('two', { notLoaded: [file] })
  hear('one', { notLoaded: [] })
  hear('two', { notLoaded: [] })
  expect(said).toEqual([
    'projection totals has stopped at orders.eu seq 2: Error: no. Mend its file; it is folded anew by itself',
    'defs/a.ts:3 does not load: no. Mend it; it is read again by itself',
    'defs/a.ts is mended, or gone',
  ])
})
