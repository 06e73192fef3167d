/** Files that failed for what is not in them: a package, or another file, that is put right later. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createLog } from '@sekali/process/log'
import { eventually } from '@sekali/testkit/eventually'
import { ownFolder } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { createDefinitions } from '../src/definitions/definitions.ts'
import { startFolding } from '../src/definitions/folding.ts'

const importing = (name: string, from: string) =>
  `import { n } from '${from}'
   export const one = { name: '${name}', topics: 't', initial: n, apply: (n) => n + 1 }`

test('a file is tried again though its own text stays the same, and its error is logged once', async () => {
  await using folder = await ownFolder()
  const write = (file: string, text: string) => writeFile(join(folder.path, file), text)
  await mkdir(join(folder.path, 'lib'))
  await write('good.ts', importing('good', './lib/good.ts'))
  await write('lib/good.ts', 'export const n = 0')
  await write('helper.ts', importing('helper', './lib/helper.ts'))
  await write('lib/helper.ts', 'export const = 0')
  await write('package.ts', importing('package', 'installed-later'))
  const logged: string[] = []
  const log = createLog('test', 'silent')
  log.error = (text: unknown) => void logged.push(String(text))
  const limits = { foldMs: 2_000, importMs: 5_000, memoryMb: 64, dir: folder.path }
  await using folding = startFolding(limits, log)
  let problems: readonly string[] = []
  const look = createDefinitions(
    { dir: folder.path, builtIn: false, importsMs: 30_000 },
    folding,
    log,
    (files) => {
      problems = files.map(({ file }) => file)
    },
  )
  const names = async () => (await look()).map(({ name }) => name)
  const good = await look()
  expect(good.map(({ name }) => name)).toEqual(['good'])
  expect(problems).toEqual(['helper.ts', 'package.ts'])
  await eventually(async () => {
    expect(await names()).toEqual(['good'])
    expect(performance.now()).toBeGreaterThan(started + 2_500)
  })
  expect(logged).toHaveLength(2)

  await write('lib/helper.ts', 'export const n = 0')
  await eventually(async () => expect(await names()).toEqual(['good', 'helper']), 8_000)
  const installed = join(folder.path, 'node_modules', 'installed-later')
  await mkdir(installed, { recursive: true })
  await writeFile(join(installed, 'package.json'), '{"exports":"./index.mjs"}')
  await writeFile(join(installed, 'index.mjs'), 'export const n = 0')
  await eventually(async () => expect(await names()).toEqual(['good', 'helper', 'package']), 8_000)
  expect(problems).toEqual([])
  expect(logged).toHaveLength(2)
  // What was good is the same as ever, and what is good now can be folded.
  const now = await look()
  expect(now[0]).toBe(good[0])
  for (const { source } of now) expect(await folding.load(source)).toHaveLength(1)

  // A copy of a file that has failed is another file.
  await rm(join(folder.path, 'lib', 'helper.ts'))
  await write('copy.ts', importing('copy', './lib/helper.ts'))
  await look()
  await write('lib/helper.ts', 'export const n = 0')
  await eventually(async () => expect(await names()).toContain('copy'), 8_000)
})

const started = performance.now()
