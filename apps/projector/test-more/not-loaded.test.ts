/** Files of definitions that do not load are reported, until they are mended or gone. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { readNotLoaded } from '@sekali/store/not-loaded'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { counting, numbered, ownStack } from '../test/stack.ts'

const wrong = {
  'shape.ts': `export const wrong = { name: 'wrong', topics: 'a', initial: 0, apply: 1 }`,
  'none.ts': 'export const unrelated = 1',
  'missed.ts': `export const a = { name: 'a', topic: 't', initial: 0, apply: (n) => n }`,
  'enum.ts': 'enum A { B }',
  'outside.ts': `import { readFileSync } from 'node:fs'\nreadFileSync('/etc/passwd')`,
  'helper.ts': `import './lib.d/helper.ts'`,
  'package.ts': `import 'not-installed'`,
  'same.ts': counting('good', '(n) => n - 1'),
  'syntax.mjs': 'const a = 1\n\nexport const = 1',
  'syntax.ts': 'const a = 1\n\nexport const = 1',
  'throws.ts': `\n\nthrow new Error('secret at /srv/secret/place.json and ' + import.meta.url)`,
  'endless.ts': 'for (;;);',
}

test('each file that does not load is reported with its line, and keeps no other definition from folding', async () => {
  await using stack = await ownStack()
  await stack.define('good.ts', counting('good', '(n) => n + 1'))
  for (const [file, text] of Object.entries(wrong)) {
    await (file === 'same.ts' ? stack.define(file, text) : stack.put(file, text))
  }
  await mkdir(join(stack.env.PROJECTIONS_DIR, 'lib.d'))
  await stack.put('lib.d/helper.ts', `\nthrow new Error('in the helper')`)
  await stack.append(numbered('orders.eu', 5))
  const short = { IMPORT_MS: '500', STATEMENT_MS: '500', IDLE_IN_TRANSACTION_MS: '1000' }
  await using _projector = stack.projector('one', short)
  const reported = await eventually(async () => {
    const files = await readNotLoaded(stack.store)
    expect(files.map(({ file }) => file)).toEqual(Object.keys(wrong).sort())
    return new Map(files.map(({ file, ...what }) => [file, what]))
  }, 30_000)
  await stack.level('good')
  expect(await stack.states('good')).toEqual({ '': 5 })
  const message = (text: string) => expect.stringContaining(text)
  expect(Object.fromEntries(reported)).toEqual({
    'shape.ts': { line: null, message: message('apply must be a function') },
    'none.ts': { line: null, message: message('exports no projection; write: export const name = define') },
    'missed.ts': {
      line: null,
      message: 'it exports a, but that is no projection: topics is missing; a projection has no field topic',
    },
    'enum.ts': { line: 1, message: message('write an object as const in its place') },
    'outside.ts': { line: 2, message: 'Error: a definition may read no files but those of its folder' },
    'helper.ts': { line: null, message: message('Error: in the helper (lib.d/helper.ts line 2)') },
    'package.ts': {
      line: null,
      message:
        "Error: Cannot find package 'not-installed' imported from package.ts; npm install not-installed",
    },
    'same.ts': { line: null, message: message('there is a projection good already') },
    'syntax.mjs': { line: 3, message: message('SyntaxError: Unexpected token') },
    'syntax.ts': { line: 3, message: message('SyntaxError: Unexpected token') },
    'throws.ts': { line: 3, message: message('Error: secret at place.json and throws.ts') },
    'endless.ts': { line: null, message: message('gave no answer within') },
  })

  await stack.define('syntax.ts', counting('mended', '(n) => n + 1'))
  for (const file of Object.keys(wrong)) {
    if (file !== 'syntax.ts' && file !== 'same.ts') await stack.remove(file)
  }
  await eventually(async () =>
    expect((await readNotLoaded(stack.store)).map(({ file }) => file)).toEqual(['same.ts']),
  )
  await stack.level('mended')
  // What is not a file any more when a projector starts was never in its way.
  await _projector[Symbol.asyncDispose]()
  await stack.remove('same.ts')
  await using _again = stack.projector('one')
  await eventually(async () => expect(await readNotLoaded(stack.store)).toEqual([]))
})

/** What it says next about definitions; where it answers about health and metrics it says, too. */
async function notice(projector: ChildProcess): Promise<unknown> {
  for (;;) {
    const [message] = await once(projector, 'message')
    if (!('health' in message || 'metrics' in message)) return message
  }
}

test('a projector tells its supervisor what does not load, what does again, and what stops at an event', async () => {
  await using stack = await ownStack()
  await stack.put('syntax.ts', 'export const = 1')
  const program = fileURLToPath(new URL('../src/main.ts', import.meta.url))
  const projector = fork(program, { env: { PATH: process.env.PATH, ...stack.env }, stdio: 'ignore' })
  const exited = once(projector, 'exit')
  try {
    const first = await notice(projector)
    expect(first).toMatchObject({ notLoaded: [{ file: 'syntax.ts', line: 1 }] })
    const second = notice(projector)
    await stack.remove('syntax.ts')
    expect(await second).toEqual({ notLoaded: [] })
    const third = notice(projector)
    await stack.append(numbered('orders.eu', 3))
    await stack.define(
      'stops.ts',
      counting('stops', `(n, { seq }) => { if (seq === 2) throw new Error('no'); return n }`),
    )
    const stopped = {
      name: 'stops',
      topic: 'orders.eu',
      seq: 2,
      message: expect.stringMatching(/^Error: no\b/),
    }
    expect(await third).toEqual({ stopped })
  } finally {
    projector.kill('SIGKILL')
    await exited
  }
})

test('a projector whose process for definitions does not start says so', async () => {
  await using stack = await ownStack()
  const program = fileURLToPath(new URL('../src/main.ts', import.meta.url))
  const nowhere = join(stack.env.PROJECTIONS_DIR, 'nowhere')
  const env = { PATH: process.env.PATH, ...stack.env, PROJECTIONS_BUILT_IN: 'on', TMPDIR: nowhere }
  const projector = fork(program, { env, stdio: 'ignore' })
  const exited = once(projector, 'exit')
  try {
    const first = await notice(projector)
    const message = expect.stringMatching(/^no definition is loaded: ENOENT\b/)
    expect(first).toMatchObject({ notLoaded: [{ file: '.', message }] })
    await eventually(async () => expect(await readNotLoaded(stack.store)).toMatchObject([{ file: '.' }]))
  } finally {
    projector.kill('SIGKILL')
    await exited
  }
})

test('a folder that is not there is reported as a whole', async () => {
  await using stack = await ownStack()
  await using _projector = stack.projector('one', { PROJECTIONS_DIR: '/srv/secret/nowhere' })
  await eventually(async () =>
    expect(await readNotLoaded(stack.store)).toEqual([
      { file: '.', line: null, message: expect.stringMatching(/^the folder cannot be read \(ENOENT\)/) },
    ]),
  )
})
