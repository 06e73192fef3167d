import { cp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClient } from '@sekali/client/client'
import { eventually } from '@sekali/testkit/eventually'
import { ownFolder } from '@sekali/testkit/servers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../test/command.ts'
import { ownSystem, type System } from '../test/system.ts'

const examples = fileURLToPath(new URL('../../../examples', import.meta.url))
const eventText = (topic: string, source: string, payload: string) =>
  `{"topic":"${topic}","event_id":"e1","timestamp":"2025-12-08T10:00:00Z","source":"${source}","payload":${payload}}`

let system: System
let folder: Awaited<ReturnType<typeof ownFolder>>
beforeAll(async () => {
  folder = await ownFolder()
  await cp(examples, folder.path, { recursive: true })
  await writeFile(
    join(folder.path, 'newest.ts'),
    `export const newest = { name: 'newest', topics: 'orders.us', initial: null, apply: (_, { payload }) => payload }
    export const newestOf = { ...newest, name: 'newest-of', key: ({ source }) => source.slice(0, 4) }`,
  )
  await writeFile(
    join(folder.path, 'skipping.ts'),
    `export const skipping = { name: 'skipping', topics: 'orders.us', initial: 0, onError: 'skip',
      apply() { throw new Error('not this one') } }`,
  )
  system = await ownSystem({ projections: folder.path })
  const client = createClient({ baseUrl: system.url })
  await client.publishAll([
    eventText('orders.eu.paid', 'till', '{"customer":"c-1","total":12.5}'),
    eventText('orders.us', 'desk\\u001b[2J', '{"order":9007199254740993,"total":12.50,"text":"a\u009bb"}'),
  ])
})
afterAll(async () => {
  await system[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

test('projections are listed, shown and rebuilt', async () => {
  const list = await eventually(async () => {
    const list = await run(['projection', 'list'], system.url)
    for (const name of ['customer-totals', 'newest', 'newest-of'])
      expect(list.out).toMatch(new RegExp(`\n${name} +1 +live +0\n`))
    return list
  }, 30_000)
  expect(list.code).toBe(0)
  expect((await run(['projection', 'get', 'customer-totals'], system.url)).out).toMatch(
    /^c-1 {2}\{.*"cents":1250.*\}\n$/,
  )
  // No number is rounded, and nothing steers the terminal.
  const shown = '{\n  "order": 9007199254740993,\n  "total": 12.5,\n  "text": "a\\u009bb"\n}\n'
  for (const names of [['newest'], ['newest-of', 'desk']])
    expect((await run(['projection', 'get', ...names], system.url)).out).toBe(shown)
  expect((await run(['projection', 'get', 'newest-of'], system.url)).out).toBe(
    'desk  {"order":9007199254740993,"total":12.5,"text":"a\\u009bb"}\n',
  )
  expect((await run(['projection', 'list'], system.url)).out).toMatch(
    /\nskipping +1 +live +0 +1 skipped\n(?:.*\n)*skipping skipped 1, the last orders\.us seq 1: Error: not this one\n/,
  )
  const one = await run(['projection', 'get', 'customer-totals', 'c-1', '--json'], system.url)
  expect(JSON.parse(one.out)).toMatchObject({ name: 'customer-totals', key: 'c-1' })
  expect((await run(['projection', 'rebuild', 'customer-totals'], system.url)).out).toContain(
    'is being rebuilt',
  )
  expect(await run(['projection', 'rebuild', 'customer-totals', '--wait'], system.url)).toMatchObject({
    code: 0,
    out: 'customer-totals is rebuilt\n',
  })
  expect(await run(['projection', 'drop', 'customer-totals'], system.url)).toMatchObject({
    code: 1,
    err: expect.stringMatching(/a projector folds it.* in \d\d s at the earliest/),
  })
  await writeFile(
    join(folder.path, 'customer-totals.ts'),
    `export const broken = {
      name: 'customer-totals', topics: 'orders.*.paid', initial: 0, apply() { throw new Error('no') } }`,
  )
  await eventually(async () => {
    const { code, out } = await run(['projection', 'list'], system.url)
    expect(out).toMatch(/\ncustomer-totals +1 +failed +0 +rebuild failed, 1 to go\n/)
    expect(out).toContain('the rebuild of customer-totals stands at orders.eu.paid seq 1: Error: no\n')
    expect(code).toBe(1)
  }, 10_000)
  const failed = await run(['projection', 'list', '--json'], system.url)
  expect(failed).toMatchObject({ code: 1, out: expect.stringContaining('"error":{"topic":"orders.eu.paid"') })
  expect(failed.out).toContain('"event_id"')
  const stale = /^the rebuild of customer-totals has stopped at orders\.eu\.paid seq 1: Error: no; .*\n$/
  for (const key of [[], ['c-1']]) {
    const { code, err } = await run(['projection', 'get', 'customer-totals', ...key], system.url)
    expect({ code, err }).toEqual({ code: 0, err: expect.stringMatching(stale) })
  }
  expect((await run(['projection', 'get', 'customer-totals', 'c-2'], system.url)).err).toMatch(
    /^the rebuild of customer-totals has stopped at .*\nsekali: the projection has no such key: .*\n$/,
  )
  expect((await run(['projection', 'get', 'newest'], system.url)).err).toBe('')
  expect(await run(['projection', 'get', 'no-such'], system.url)).toMatchObject({
    code: 1,
    err: 'sekali: there is no such projection: sekali projection list names them\n',
  })
})

test('a file of definitions that does not load is listed with its line, until it is mended', async () => {
  const file = join(folder.path, 'syntax.ts')
  await writeFile(file, '\nexport const = 1')
  await eventually(async () => {
    const { code, out } = await run(['projection', 'list'], system.url)
    expect(out).toMatch(/\nsyntax\.ts +not_loaded *\n/)
    expect(out).toMatch(/\nsyntax\.ts line 2 does not load: SyntaxError: .*\nmend such a file, /)
    expect(code).toBe(1)
  }, 10_000)
  const { out } = await run(['projection', 'list', '--json'], system.url)
  expect(JSON.parse(out.trim().split('\n').at(-1) ?? '')).toMatchObject({
    name: 'syntax.ts',
    status: 'not_loaded',
    error: { file: 'syntax.ts', line: 2 },
  })
  for (const words of [
    ['get', 'syntax.ts'],
    ['get', 'syntax', 'key'],
    ['rebuild', 'syntax.ts'],
  ]) {
    expect(await run(['projection', ...words], system.url)).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        /^sekali: syntax\.ts line 2 is a file that does not load: SyntaxError.*; mend it/,
      ),
    })
  }
  expect((await run(['doctor'], system.url)).out).toMatch(
    /✗ definitions\.loaded {2}files of definitions do not load: syntax\.ts line 2\n/,
  )
  await rm(file)
  await eventually(async () => {
    const list = await run(['projection', 'list'], system.url)
    expect(list.out).not.toContain('not_loaded')
  }, 10_000)
})
