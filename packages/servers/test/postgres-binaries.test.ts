import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findPostgresBinaries } from '../src/postgres/binaries.ts'

test("PostgreSQL's programs are those of our dependency, or of the package that POSTGRES_PROGRAMS names", () => {
  const ours = findPostgresBinaries({})
  expect(existsSync(ours.postgres)).toBe(true)
  const named = findPostgresBinaries({ POSTGRES_PROGRAMS: '/of/another/version' })
  expect(named.folder).toBe('/of/another/version')
  for (const name of ['postgres', 'initdb'] as const)
    expect(named[name]).toBe(join('/of/another/version/native/bin', name))
})
