import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { repositoryRoot } from '@sekali/local/repository'
import { expect, test } from 'vitest'
import { mutants } from '../src/mutants/catalogue.ts'
import { applyEdit } from '../src/mutants/mutant.ts'

test.each(mutants.map((mutant) => [mutant.name, mutant] as const))(
  'the mutant %s applies',
  async (_, mutant) => {
    const texts = new Map<string, string>()
    for (const edit of mutant.edits) {
      const path = join(repositoryRoot, edit.file)
      const before = texts.get(path) ?? (await readFile(path, 'utf8'))
      const after = applyEdit(before, edit)
      expect(after).not.toBe(before)
      texts.set(path, after)
    }
  },
)

test('mutants have names of their own', () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length)
})

test('docs/reliability.md has a row for each mutant, in the order of the catalogue', async () => {
  const text = await readFile(join(repositoryRoot, 'docs/reliability.md'), 'utf8')
  const [, table = ''] = /<!-- mutants: begin -->([\s\S]*)<!-- mutants: end -->/.exec(text) ?? []
  const rows = [...table.matchAll(/^\| ([a-z-]+) \| (.+?) \| [a-z]+(?::more)?: /gm)]
  const named = rows.map(([, name, breaks]) => ({ name, breaks }))
  expect(named).toEqual(mutants.map(({ name, breaks }) => ({ name, breaks })))
})
