import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLog } from '@sekali/process/log'
import { eventually } from '@sekali/testkit/eventually'
import { event } from '@sekali/testkit/sample'
import { ownFolder } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { Stuck } from '../src/confined/fold-process.ts'
import { builtInSource } from '../src/confined/source.ts'
import { createDefinitions } from '../src/definitions/definitions.ts'
import { startFolding } from '../src/definitions/folding.ts'

const log = createLog('test', 'silent')

/** The projections that the files of a folder define. */
async function namesIn(dir: string): Promise<string[]> {
  await using folding = startFolding({ foldMs: 2_000, importMs: 5_000, memoryMb: 64, dir }, log)
  const look = createDefinitions({ dir, builtIn: false, importsMs: 5_000 }, folding, log)
  return (await look()).map(({ name }) => name)
}

test('the time that a process takes to start is not counted against what is loaded into it', async () => {
  // No process starts within 50 ms, and none that is late is kept. One that has started answers within that
  // time soon.
  await using folding = startFolding({ foldMs: 50, importMs: 0, memoryMb: 64 }, log)
  const definitions = await eventually(() => folding.load(builtInSource))
  expect(definitions.length).toBeGreaterThan(0)
})

test('files that are late keep the others waiting one at a time, and no longer once that is known', async () => {
  await using folder = await ownFolder()
  const write = (file: string, text: string) => writeFile(join(folder.path, file), text)
  const good = (name: string, begin = '') => `
    import { defineProjection } from '@sekali/projection/define'
    import { existsSync } from 'node:fs'
    const path = (file) => import.meta.dirname + '/' + file
    ${begin}
    export const one = defineProjection({ name: '${name}', topics: 't', initial: 0, apply: () => { while (true); } })`
  await write('a.ts', good('a'))
  await write('b.ts', 'await new Promise(() => {})')
  await write('c.ts', 'await new Promise(() => {}) // as well')
  await write('d.ts', good('d', `if (existsSync(path('block'))) while (true);`))
  await using folding = startFolding({ foldMs: 200, importMs: 800, memoryMb: 64, dir: folder.path }, log)
  const look = createDefinitions({ dir: folder.path, builtIn: false, importsMs: 800 }, folding, log)
  const names = async () => (await look()).map(({ name }) => name)
  await folding.load(builtInSource) // the process has started
  expect(await names()).toEqual(['a'])
  await eventually(async () => expect(await names()).toEqual(['a', 'd']))

  // A definition blocks the process. All must be imported anew, and the text of one blocks the next process.
  const [a, d] = await look()
  if (a === undefined || d === undefined) throw new Error('there were two')
  const events = [{ ...event(), seq: 1, receivedAt: '', storedAt: '' }]
  const turn = folding.hold(async (process) => {
    const { fold } = await process.prepare(a, events)
    return await fold(new Map())
  })
  await expect(turn).rejects.toThrow(Stuck)
  await write('block', '')
  const refusals = new Set<unknown>()
  for (let time = 0; time < 5; time++) {
    const refusal = await folding.load(d.source).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ message: 'the definition gave no answer within 1000 ms' })
    refusals.add(refusal) // the same one as long as it is not tried again
    await folding.load(a.source)
  }
  // Once, unless the machine is so slow that its time was over before the five were.
  expect(refusals.size).toBeLessThan(5)
  expect([folding.isLeftAlone(a.source), folding.isLeftAlone(d.source)]).toEqual([false, true])
})

test('a definition is a module, whatever the package.json above it says', async () => {
  await using folder = await ownFolder()
  const dir = join(folder.path, 'projections')
  await mkdir(join(dir, 'lib'), { recursive: true })
  await writeFile(join(folder.path, 'package.json'), '{"type":"commonjs"}') // as npm init -y does
  await writeFile(join(dir, 'lib', 'more.ts'), 'export const more = (n: number): number => n + 1')
  const text = (name: string, more: string) => `${more}
     export const one = { name: '${name}', topics: 't', initial: 0, apply: (n) => more(n) }`
  await writeFile(join(dir, 'a.ts'), text('a', `import { more } from './lib/more.ts'`))
  await writeFile(join(dir, 'b.js'), text('b', 'const more = (n) => n + 1'))
  expect(await namesIn(dir)).toEqual(['a', 'b'])
})

test('definitions may lie in a folder that our own code lies in', async () => {
  const above = fileURLToPath(new URL('..', import.meta.url)) // apps/projector
  await using folding = startFolding({ foldMs: 2_000, importMs: 5_000, memoryMb: 64, dir: above }, log)
  expect(await folding.load(builtInSource)).not.toEqual([])
})

test('a definition in any folder imports @sekali/projection, and gets the one that folds it', async () => {
  await using folder = await ownFolder()
  // Installed there, and of another version.
  const installed = join(folder.path, 'node_modules', '@sekali', 'projection')
  await mkdir(installed, { recursive: true })
  await writeFile(join(installed, 'package.json'), '{"name":"@sekali/projection","exports":"./other.mjs"}')
  await writeFile(join(installed, 'other.mjs'), 'throw new Error("another version")')
  const text = (from: string, name: string) =>
    `import { defineProjection } from '${from}'
     export const one = defineProjection({ name: '${name}', topics: 't', initial: 0, apply: (n: number) => n + 1 })`
  await writeFile(join(folder.path, 'a.ts'), text('@sekali/projection', 'a'))
  await writeFile(join(folder.path, 'b.ts'), text('@sekali/projection/define', 'b'))
  expect(await namesIn(folder.path)).toEqual(['a', 'b'])
})
