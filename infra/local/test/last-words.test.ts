import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { expect, test } from 'vitest'
import { lastWords } from '../src/system/last-words.ts'

test('of a line of a log its words are shown, and of other lines everything', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const file = join(folder.path, 'migrate.log')
  const lines = [
    '{"level":60,"time":1,"msg":"ended by an error","err":{"type":"Error","message":"nobody answers"}}',
    '{"level":60,"msg":"DATABASE_URL is not set"}',
    'FATAL ERROR: out of memory',
    '{"half":',
  ]
  await writeFile(file, `before\n${lines.join('\n')}\n`)
  expect(await lastWords(file, 7)).toBe(
    [
      '    ended by an error: nobody answers',
      '    DATABASE_URL is not set',
      '    FATAL ERROR: out of memory',
      '    {"half":',
    ].join('\n'),
  )
})
