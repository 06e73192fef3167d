import { expect, test } from 'vitest'
import { findPlaceOfClone } from '../src/cli/bundle.ts'
import { findNewerThan } from '../src/cli/newer.ts'

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

test('code that calls what the oldest Node lacks does not get into the package', () => {
  expect(findNewerThan(22, 'const safe = RegExp.escape(text)')).toBe('RegExp.escape')
  expect(findNewerThan(22, 'Promise.withResolvers()')).toBeUndefined()
  expect(findNewerThan(20, 'Promise.withResolvers()')).toBe('Promise.withResolvers')
  expect(findNewerThan(20, 'names.values().some(isIt)')).toBe('.values().some(')
  expect(findNewerThan(20, '[...names.values()].some(isIt)')).toBeUndefined()
})
