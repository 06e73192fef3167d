import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** What examples call without saying where it comes from: it is the reader's own. */
const readers = `
import type { EventToPublish } from '@sekali/client'
declare function freshToken(): Promise<string>
declare function manyEvents(): AsyncIterable<EventToPublish>
declare function report(error: unknown): void
declare function handle(payload: object): Promise<void>
declare function savedCursor(): Promise<string | null>
declare function saveCursor(cursor: string): Promise<void>
declare function undoBehind(topic: string, seq: number): Promise<void>
declare function keepForLater(event: object): Promise<void>
`

test.each([
  'docs/typescript.md',
  'docs/projections.md',
  'docs/subscriptions.md',
  'packages/client/README.md',
  'packages/projection/README.md',
])('the examples of %s compile', async (file) => {
  const text = await readFile(join(root, file), 'utf8')
  const blocks = [...text.matchAll(/^```ts\n(.*?)^```/gms)].map(([, block = '']) => block)
  expect(blocks.length).toBeGreaterThan(0)
  // Here, so that the packages are found as everywhere in the clone.
  const folder = await mkdtemp(join(root, 'node_modules/.examples-'))
  try {
    const program = blocks.join('\n').replaceAll("'../examples/", `'${root}examples/`)
    await writeFile(join(folder, 'examples.ts'), `${readers}${program}`)
    const options = [
      '--ignoreConfig',
      '--noEmit',
      '--strict',
      '--exactOptionalPropertyTypes',
      '--skipLibCheck',
    ]
    const like = [
      '--module',
      'nodenext',
      '--target',
      'esnext',
      '--types',
      'node',
      '--allowImportingTsExtensions',
    ]
    const tsc = join(root, 'node_modules/.bin/tsc')
    const { stdout } = spawnSync(tsc, [...options, ...like, 'examples.ts'], { cwd: folder, encoding: 'utf8' })
    expect(stdout).toBe('')
  } finally {
    await rm(folder, { recursive: true })
  }
})
