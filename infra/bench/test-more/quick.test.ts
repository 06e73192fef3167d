import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { requireDebian } from '@sekali/testkit/debian'
import { expect, test } from 'vitest'

/** The rows that take seconds. They use every side's way: HTTP, pages, streams, COPY, turns, folds and
 * work. */
const names = [
  'end-to-end',
  'rivals-nats',
  'rivals-bullmq',
  'rivals-single-nats',
  'rivals-single-bullmq',
  'commit',
  'single',
  'wait',
  'single-alone',
  'single-cost',
  'metrics',
  'tracing',
  'scrape',
  'latency',
  'read',
  'replay',
  'projections',
  'fan-out',
  'work',
  'work-boss',
]

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

interface Results {
  readonly rows: readonly { readonly name: string; readonly figure: { readonly median: number } }[]
}

// A minute and a quarter where it has two cores to itself, and more where it has to share them.
test('a quick run measures each of the rows that it is asked for', async () => {
  await requireDebian('nats-server')
  await using folder = await temporaryFolder('sekali-bench-')
  const args = ['--quick', '--rounds', '1', '--results', folder.path, '--only', ...names]
  const { stdout } = await promisify(execFile)(process.execPath, [main, ...args])
  for (const name of names) expect(stdout).toContain(`| **${name}** |`)
  const results: Results = JSON.parse(await readFile(join(folder.path, 'results.json'), 'utf8'))
  expect(results.rows.map((row) => row.name)).toEqual(names)
  for (const { figure } of results.rows) expect(figure.median).toBeGreaterThan(0)
}, 600_000)
