/**
 * `npm run chaos -- --target ha` with a small load: a failover of Redis, one of PostgreSQL, and the death of gateways, each on a
 * system of its own. The others are for a run by hand.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { expect, test } from 'vitest'
import type { DrillRun } from '../src/report/drills.ts'
import { run } from '../test/run.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n', '--preserve-env']

async function drill(...options: string[]): Promise<{ runs: DrillRun[]; said: string; code: number | null }> {
  await using folder = await temporaryFolder('sekali-drill-')
  const report = join(folder.path, 'report.json')
  const words = [
    '--target',
    'ha',
    '--events',
    '3000',
    '--rate',
    '400',
    '--consumers',
    '2',
    '--report',
    report,
  ]
  const { code, said } = await run([...asRoot, process.execPath, main, ...words, ...options])
  const runs = JSON.parse(await readFile(report, 'utf8').catch(() => '[]')) as DrillRun[]
  return { runs, said, code }
}

const figuresOf = ({ drill, isKept, outcome: { balance } }: DrillRun) => ({
  ...{ drill, isKept, missing: balance.missing, lost: balance.lost },
})

test('no failover loses what was acknowledged, changes it, or tells a reader what is then another event [P1] [P2] [P3] [P4] [P5] [P6] [P7] [P8] [P9]', async ({
  annotate,
}) => {
  const names = ['redis-split', 'postgres-lag', 'gateway-kill']
  const { runs, said, code } = await drill('--drill', names.join(','))
  await annotate(said.split('\n').slice(-6).join('\n'))
  expect(runs.map(figuresOf), said).toEqual(
    names.map((drill) => ({ drill, isKept: true, missing: 0, lost: 0 })),
  )
  for (const { outcome } of runs) expect(outcome.balance.acknowledged).toBeGreaterThanOrEqual(2_000)
  expect(code).toBe(0)
}, 600_000)

test('without what protects it, a failover loses events, and all of it is told [P7]', async ({
  annotate,
}) => {
  const { runs, said, code } = await drill('--unprotected', '--drill', 'redis-split')
  await annotate(said.split('\n').slice(-4).join('\n'))
  expect(
    runs.map(({ isKept }) => isKept),
    said,
  ).toEqual([true])
  expect(runs[0]?.outcome.balance.missing).toBeGreaterThan(0)
  expect(code).toBe(0)
}, 300_000)
