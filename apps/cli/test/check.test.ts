// `sekali projection check` needs no system: no gateway is running here.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ownFolder } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { run } from './command.ts'

const nowhere = 'http://127.0.0.1:1'
const examples = fileURLToPath(new URL('../../../examples', import.meta.url))

/** A folder with files. */
async function folderOf(files: Readonly<Record<string, string>>) {
  const folder = await ownFolder()
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text)
  return folder
}

const check = (...args: string[]) => run(['projection', 'check', ...args], nowhere)

test('good definitions are named, with their topics and what they keep', async () => {
  const { code, out, err } = await check(examples)
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out).toMatch(
    /^✓ customer-totals {2}version \d+, of orders\.\*\.paid, a state for each key {2}\(.*customer-totals\.ts\)\n/,
  )
  expect(out.match(/✓/g)).toHaveLength(3)
})

test('each mistake is named with its file, and where it is known with its line; the others are checked all the same', async () => {
  await using folder = await folderOf({
    'a.ts': `export const a = { name: 'same', topics: 't', initial: 0, apply: (n: number) => n + 1 }`,
    'b.ts': `export const b = { name: 'same', topics: 't', initial: 0, apply: (n: number) => n + 1 }`,
    'builtin.ts': `export const l = { name: 'latest', topics: 't', initial: 0, apply: (n: number) => n }`,
    'empty.ts': 'export const nothing = 1',
    'package.ts': `import 'no-such-package'\nexport const a = 1`,
    'reaches.ts': `import 'node:http'`,
    'shape.ts': `export const c = { name: 'no name', topics: '..', initial: 0, apply: 1 }`,
    'syntax.ts': 'export const a = 1\nexport const b = {\n',
    'syntax.js': 'export const a = 1\n\nexport const = 2\n',
    'throws.ts': `throw new Error('not today')`,
    'missed.ts': `export const a = { name: 'a', topic: 't', initial: 0, apply: (n: number) => n }`,
    'enum.ts': 'enum A { B }',
  })
  const { code, out } = await check(folder.path)
  expect(code).toBe(1)
  const said = new Map(
    out
      .split('\n')
      .filter(Boolean)
      .map((line) => [/[\w.]+\.[jt]s(?::\d+)?/.exec(line)?.[0] ?? '', line]),
  )
  expect([...said.keys()].sort()).toEqual([
    'a.ts',
    'b.ts',
    'builtin.ts',
    'empty.ts',
    'enum.ts:1',
    'missed.ts',
    'package.ts',
    'reaches.ts',
    'shape.ts',
    'syntax.js:3',
    'syntax.ts:2',
    'throws.ts:1',
  ])
  expect(said.get('b.ts')).toMatch(/there is a projection same already, in a\.ts; give this one another name/)
  expect(said.get('empty.ts')).toMatch(/exports no projection; write: export const/)
  expect(said.get('package.ts')).toMatch(/no-such-package.*; npm install no-such-package$/)
  expect(said.get('builtin.ts')).toMatch(/latest is built in; give this one another name$/)
  expect(said.get('missed.ts')).toMatch(
    /exports a, but .*: topics is missing; a projection has no field topic$/,
  )
  expect(said.get('enum.ts:1')).toMatch(/enum is not supported .*; write an object as const in its place$/)
  expect(said.get('reaches.ts')).toMatch(/node:http is not for definitions/)
  expect(said.get('shape.ts')).toMatch(/name must be 1 to 64 .*; topics .*; apply must be a function/)
  expect(said.get('throws.ts:1')).toMatch(/Error: not today/)
  const json = await check(join(folder.path, 'syntax.js'), '--json')
  expect(JSON.parse(json.out)).toMatchObject({ found: 'problem', line: 3 })
  expect((await check(join(folder.path, 'none.ts'))).out).toMatch(
    /✗ .*none\.ts {2}cannot be read \(ENOENT\)\n/,
  )
})

const line = (n: number, payload: string, rest = '') =>
  `{"topic":"orders","event_id":"e${n}","timestamp":"2025-12-08T10:00:00Z","source":"till","payload":${payload}${rest}}`

test('events are folded as a projector folds them, and the one that throws is named', async () => {
  await using folder = await folderOf({
    'sums.ts': `
      export const count = { name: 'count', topics: '>', initial: { n: 0 }, onError: 'skip', apply(state, event) {
        if (event.payload.n === 3) throw new Error('not a three')
        return { n: state.n + 1 } } }
      export const never = { name: 'never', topics: 'other', initial: null, apply: (state) => state }
      export const sums = { name: 'sums', topics: 'orders', initial: 0, key: (event) => event.payload.of,
        apply: (sum, event) => BigInt(sum) + BigInt(event.payload.n) }
      export const wary = { name: 'wary', topics: 'orders', initial: 0, apply(state, event) {
        if (event.payload.n === 3) throw new Error('no')
        return state + 1 } }`,
    'events.ndjson': [
      line(1, '{"n":9007199254740993,"of":"a"}', ',"seq":7,"received_at":"x","stored_at":"y"'),
      line(2, '{"n":1,"of":"b"}'),
      line(3, '{"n":3,"of":"a"}'),
      '',
      '{"topic":"orders"}',
      'no json',
    ].join('\n'),
  })
  const { code, out, err } = await check(
    join(folder.path, 'sums.ts'),
    '-e',
    join(folder.path, 'events.ndjson'),
  )
  expect({ code, err }).toEqual({ code: 1, err: '' })
  const lines = out.split('\n').slice(4)
  expect(lines).toEqual([
    expect.stringMatching(/^✗ .*events\.ndjson:5 {2}event_id is required; .*payload is required$/),
    expect.stringMatching(/^✗ .*events\.ndjson:6 {2}must be the JSON of one event$/),
    '3 events read',
    'count  {"n":2}',
    '! count skipped 1, the last orders seq 9 (e3): Error: not a three',
    'never  null',
    'sums a  9007199254740996',
    'sums b  1',
    'wary  2',
    '✗ wary stops at orders seq 9 (e3): Error: no',
    '',
  ])
  await mkdir(join(folder.path, 'nothing'))
  expect((await check(join(folder.path, 'nothing'))).out).toMatch(/the folder has no file of definitions\n$/)
})

test('a replay can be checked as it is, and no file is a usage error', async () => {
  await using folder = await folderOf({
    'ids.ts': `export const ids = { name: 'ids', topics: 'orders', initial: [], apply: (ids, e) => [...ids, e.seq] }`,
    log: Array.from({ length: 2_500 }, (_, n) => line(n, '{}')).join('\n'),
  })
  const { code, out } = await check(
    join(folder.path, 'ids.ts'),
    '--events',
    join(folder.path, 'log'),
    '--json',
  )
  expect(code).toBe(0)
  const state = out
    .split('\n')
    .filter(Boolean)
    .map((text) => JSON.parse(text))
    .find(({ found }) => found === 'state')
  expect(JSON.parse(state.state)).toEqual(Array.from({ length: 2_500 }, (_, n) => n + 1))
  expect((await check()).code).toBe(2)
  const without = await check(join(folder.path, 'ids.ts'), '-e', join(folder.path, 'nosuch'))
  expect(without).toMatchObject({
    code: 1,
    out: expect.stringMatching(/^✓ .*\n✗ .*nosuch {2}cannot be read \(ENOENT\)\n$/),
  })
})

test('what a definition makes of U+2028 is shown, as Node ends no line there', async () => {
  await using folder = await folderOf({
    'last.ts': `export const last = { name: 'last', topics: 'orders', initial: '', apply: (_, e) => e.payload.text }`,
    log: line(1, '{"text":"a\u2028b\u2029c\u0085d"}'),
  })
  const { code, out, err } = await check(join(folder.path, 'last.ts'), '--events', join(folder.path, 'log'))
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out.split('\n')).toContain('last  "a\u2028b\u2029c\\u0085d"')
})
