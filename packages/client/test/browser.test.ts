import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** Every file that the client loads, with what it imports. */
function load(file: string, found = new Map<string, string[]>()): Map<string, string[]> {
  if (found.has(file)) return found
  const text = readFileSync(file, 'utf8')
  const targets = [...text.matchAll(/(?:^|\s)(?:import|from)\s*\(?\s*'([^']+)'/g)].map((match) =>
    String(match[1]),
  )
  found.set(file, targets)
  for (const target of targets) {
    if (target.startsWith('.')) load(join(dirname(file), target), found)
    else if (target.startsWith('@sekali/')) load(createRequire(file).resolve(target), found)
  }
  return found
}

const loaded = load(join(root, 'packages/client/src/client.ts'))

test('the client and what it loads import nothing but each other and nothing of Node', () => {
  const files = [...loaded.keys()].map((file) => file.slice(root.length))
  expect(files).toContain('packages/core/src/errors.ts')
  expect(files.length).toBeGreaterThan(12)
  expect(files.filter((file) => !/^packages\/(client|core)\/src\//.test(file))).toEqual([])
  const foreign = [...loaded.values()].flat().filter((name) => !/^\.|^@sekali\/core\/|^valibot$/.test(name))
  expect(foreign).toEqual([])
})

test('the client compiles with the types of a browser alone: no Buffer, no process', () => {
  const tsc = join(root, 'node_modules/.bin/tsc')
  const options = [
    '--ignoreConfig',
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--types',
    '',
    '--lib',
    'esnext,dom',
  ]
  const like = ['--module', 'nodenext', '--target', 'esnext', '--rewriteRelativeImportExtensions']
  const compile = () =>
    execFileSync(tsc, [...options, ...like, join(root, 'packages/client/src/client.ts')], {
      encoding: 'utf8',
    })
  expect(compile).not.toThrow()
})
