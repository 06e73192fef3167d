import { expect, test } from 'vitest'
import { findPlaceOfClone } from '../src/cli/bundle.ts'

test('code that looks for a file at its place in the clone does not get into the package', () => {
  expect(findPlaceOfClone('a(new URL("../../roles.sql", import.meta.url))')).toBe(
    'new URL("../../roles.sql", import.meta.url)',
  )
  expect(findPlaceOfClone('join(import.meta.dirname, "x")')).toBe('import.meta.dirname')
  const good = [
    'placeOf(import.meta.url, "../../migrations", "./migrations")',
    'new URL("./x.mjs", import.meta.url)',
  ]
  for (const code of good) expect(findPlaceOfClone(code)).toBeUndefined()
})
