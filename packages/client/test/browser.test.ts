import { spawnSync } from 'node:child_process'
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

const loaded = load(join(root, 'packages/client/src/sdk.ts'))

test('the client and what it loads import nothing but each other and nothing of Node', () => {
  const files = [...loaded.keys()].map((file) => file.slice(root.length))
  expect(files).toContain('packages/core/src/errors.ts')
  expect(files.length).toBeGreaterThan(12)
  expect(files.filter((file) => !/^packages\/(client|core)\/src\//.test(file))).toEqual([])
  const foreign = [...loaded.values()].flat().filter((name) => !/^\.|^@sekali\/core\/|^valibot$/.test(name))
  expect(foreign).toEqual([])
})

/** Compiles the entry of a package for the types of a platform. Throws with what tsc says. */
function compile(entry: string, lib: string): void {
  const tsc = join(root, 'node_modules/.bin/tsc')
  const options = ['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', '--types', '', '--lib', lib]
  const like = ['--module', 'nodenext', '--target', 'esnext', '--rewriteRelativeImportExtensions']
  const { status, stdout } = spawnSync(tsc, [...options, ...like, join(root, entry)], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stdout)
}

test('the client compiles with the types of a browser alone: no Buffer, no process', () => {
  expect(() => compile('packages/client/src/sdk.ts', 'esnext,dom')).not.toThrow()
})

// The newest of JavaScript that Node 20 and browsers of 2023 know: not Map.groupBy, for instance.
const ofNode20 = 'es2023,es2024.string,esnext.disposable,dom,dom.iterable,dom.asynciterable'

test.each(['client', 'projection'])('what %s calls is there in Node 20', (name) => {
  expect(() => compile(`packages/${name}/src/sdk.ts`, ofNode20)).not.toThrow()
})
