// npx runs what the registry has under a name, unless the name is that of a package at hand.
import { execFile } from 'node:child_process'
import { glob, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { run } from './command.ts'

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

test('start and demo stand in the help, and come first on the command line', async () => {
  const url = 'http://127.0.0.1:9'
  expect((await run(['--help'], url)).out).toMatch(/^ {2}start .*\n( {4,}.*\n)* {2}demo /m)
  for (const command of ['start', 'demo']) {
    const { code, err } = await run(['--json', command, '--port', '1'], url)
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(`write ${command} first`) })
  }
})

test('in the clone npx starts what npm start does', async () => {
  const npx = promisify(execFile)('npx', ['--offline', '@sekali/cli', 'start', '--help'], { cwd: root })
  const { stdout } = await npx
  expect(stdout).toMatch(/^Usage: npm start -- /)
})
