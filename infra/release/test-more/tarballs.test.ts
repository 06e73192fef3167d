// What is in the tarballs, whether the tools of package authors find fault with them, and whether they can be compiled against.
import { execFileSync, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { fileOf } from '../src/manifest.ts'
import { packages } from '../src/packages.ts'
import { foreignEnv, ownProject, type Project } from './project.ts'

const check = fileURLToPath(new URL('../src/check.ts', import.meta.url))
const always = ['LICENSE', 'README.md', 'package.json']

const statement = /(?:^|[;}\n])\s*(?:import|export)\b[\w\s{},*$]*?["']([^"'\n]+)["']/g
const call = /\bimport\(\s*["'`]([^"'`\n]+)/g

describe.each(packages)('$workspace', ({ workspace, doors }) => {
  const names = Object.values(doors).map(({ source }) => fileOf(source))
  const code = names.map((name) => `${name}.js`)
  const types = names.map((name) => `${name}.d.ts`)
  const tarball = () => inject('tarballs')[workspace] ?? ''
  const read = (file: string) =>
    execFileSync('tar', ['-xzOf', tarball(), `package/${file}`], { encoding: 'utf8' })

  test('holds what it should, and nothing else: no test, no source, no environment', () => {
    const list = execFileSync('tar', ['-tzf', tarball()], { encoding: 'utf8' })
    expect(list.trim().split('\n').sort()).toEqual(
      [...always, ...code, ...types].map((file) => `package/${file}`).sort(),
    )
  })

  test('may be published, and imports nothing of ours, nothing of Node and nothing that it does not name', () => {
    const manifest = JSON.parse(read('package.json'))
    expect(manifest).not.toHaveProperty('private')
    expect(manifest).not.toHaveProperty('scripts')
    const texts = [...code, ...types].map(read).join('\n')
    const found = [...texts.matchAll(statement), ...texts.matchAll(call)].map(([, name = '']) => name)
    // Further doors throw what the first one does.
    const imported = found.filter((name) => name !== './sdk.js')
    expect([...new Set(imported)].sort()).toEqual(Object.keys(manifest.dependencies ?? {}))
    for (const file of code) expect(read(file), file).not.toMatch(/@sekali\/|node:|\bBuffer\b/)
  })

  test('has short lines and its names, because Node prints the line of an error and a stack', () => {
    const lines = code.flatMap((file) => read(file).split('\n'))
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(1_500)
    expect(lines.join('\n')).toMatch(/function (?:publish|foldAll)\(/)
  })

  test('publint and arethetypeswrong find nothing', () => {
    // A process of its own: vitest would give them the sources of each other.
    const { status, stdout, stderr } = spawnSync(process.execPath, [check, tarball()], {
      encoding: 'utf8',
      env: foreignEnv,
    })
    expect([status, stdout, stderr]).toEqual([0, '', ''])
  })
})

describe('compiled against, strictly and with the types of all packages checked', () => {
  let project: Project
  beforeAll(async () => {
    const compilers = ['ts5@npm:typescript@5', 'ts7@npm:typescript@7', '@types/node@20']
    project = await ownProject(compilers, ['service.ts', 'fold.ts', 'page.ts'])
  })
  afterAll(() => project[Symbol.asyncDispose]())

  const nodenext = ['--module', 'nodenext', '--lib', 'es2022', '--types', 'node', 'service.ts', 'fold.ts']
  const inPage = ['--lib', 'es2022,dom,dom.iterable', '--typeRoots', 'none', 'page.ts']
  const bundler = ['--module', 'esnext', '--moduleResolution', 'bundler', ...inPage]
  const exact = ['--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess']

  test.each([
    ['TypeScript 5, nodenext', 'ts5/bin/tsc', nodenext],
    ['TypeScript 5, bundler', 'ts5/bin/tsc', bundler],
    ['TypeScript 7, nodenext', 'ts7/bin/tsc', ['--ignoreConfig', ...nodenext]],
    ['TypeScript 7, bundler', 'ts7/bin/tsc', ['--ignoreConfig', ...bundler]],
  ])('by %s', async (_what, tsc, args) => {
    const always = ['--noEmit', '--strict', ...exact, '--target', 'es2022', '--skipLibCheck', 'false']
    expect(await project.run('node', `node_modules/${tsc}`, ...always, ...args)).toBe('')
  })
})
