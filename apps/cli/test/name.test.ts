// npx runs what the registry has under a name, unless the name is that of a package at hand.
import { execFile } from 'node:child_process'
import { glob, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))

test('no command that is shown leaves its package to whoever registers the name', async () => {
  const shown: string[] = []
  for await (const file of glob('**/*.{md,ts,mjs,json,yml,sh}', {
    cwd: root,
    exclude: ['**/node_modules/**'],
  })) {
    const text = await readFile(root + file, 'utf8')
    for (const [command] of text.matchAll(/\b(?:npx|npm (?:exec|x)|pnpm dlx|yarn dlx)(?: -\S+)* sekali\b/g)) {
      shown.push(`${file}: ${command}`)
    }
  }
  expect(shown).toEqual([])
})

test('in the clone the scoped name is ours, without a look at the registry', async () => {
  const { stdout } = await promisify(execFile)('npx', ['--offline', '@sekali/cli', '--help'], { cwd: root })
  expect(stdout).toMatch(/^Usage: sekali /)
  expect(stdout).toContain('npx @sekali/cli')
})
