import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { edits, pathOf, takeOut } from '../src/rivals/without-wait.ts'

test('what waits for replicas is taken out of all that appends, and nothing of it is left', async () => {
  for (const [path, some] of Map.groupBy(edits, pathOf)) {
    const source = await readFile(path, 'utf8')
    const withoutImports = takeOut(source, some).replaceAll(/^import .*$/gm, '')
    expect(source).toMatch(/\b(isConfirmed|confirmation|readConfirmation)\(/)
    expect(withoutImports).not.toMatch(/\b(isConfirmed|confirmation|readConfirmation)\b/)
  }
})

test('an edit whose place is not there is refused: the rival would be Sekali itself', () => {
  const [edit] = edits
  if (edit === undefined) throw new Error('there are edits')
  expect(() => takeOut('', [edit])).toThrow('does not hold once')
})
