import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { countMissing } from '../src/check/missing.ts'
import { drills } from '../src/ha/drills.ts'
import { isKeptBy } from '../src/ha/run.ts'
import { type DrillRun, drillsTable } from '../src/report/drills.ts'
import type { Outcome } from '../src/run.ts'
import { soundRun } from './evidence.ts'
import { run } from './run.ts'

const drillOf = (name: string) => {
  const found = drills.find((one) => one.name === name)
  if (found === undefined) throw new Error(`no drill ${name}`)
  return found
}

const [kill, split] = [drillOf('redis-kill'), drillOf('redis-split')]

function outcomeOf(balance: Partial<Outcome['balance']> = {}, times = 1): Outcome {
  const operations = { ok: 1, failed: 0, indeterminate: 0 }
  return {
    ...{ verdicts: [], abuses: [], operations, kills: 1, seconds: 1, drainMs: 1, events: 1, silentMs: 3_210 },
    faults: [{ name: 'redis-split', times, operations, recoveries: [1_234] }],
    balance: { acknowledged: 13_000, missing: 0, lost: 0, ...balance },
  }
}

const asked = { isProtected: true, events: 13_000 }
const unprotected = { ...asked, isProtected: false }

test('an event that was answered with yes and is not in the log is missing', () => {
  const { evidence } = soundRun()
  expect(countMissing(evidence)).toEqual({ acknowledged: 6, missing: 0, lost: 0 })
  const http = new Map([...evidence.http].map(([topic, rows]) => [topic, rows.slice(1)]))
  expect(countMissing({ ...evidence, http })).toEqual({ acknowledged: 6, missing: 1, lost: 0 })
})

test('with protection a drill may lose nothing, and has to be done under all of its load', () => {
  expect(isKeptBy(split, asked, outcomeOf())).toBe(true)
  expect(isKeptBy(split, asked, outcomeOf({ missing: 1, lost: 1 }))).toBe(false)
  expect(isKeptBy(split, asked, outcomeOf({ lost: 1 }))).toBe(false)
  expect(isKeptBy(split, asked, outcomeOf({ acknowledged: 12_999 }))).toBe(false)
  expect(isKeptBy(split, asked, outcomeOf({}, 0))).toBe(false)
  const verdicts = [{ promise: 'seq has no gap', violation: 'it has', checked: '' }]
  expect(isKeptBy(split, asked, { ...outcomeOf(), verdicts })).toBe(false)
})

test('without protection it must lose something, or it shows nothing, and that must be told', () => {
  expect(isKeptBy(split, unprotected, outcomeOf({ missing: 10, lost: 12 }))).toBe(true)
  expect(isKeptBy(split, unprotected, outcomeOf({ missing: 10, lost: 9 }))).toBe(false)
  expect(isKeptBy(split, unprotected, outcomeOf())).toBe(false)
  expect(isKeptBy(kill, unprotected, outcomeOf())).toBe(true)
  expect(isKeptBy(kill, unprotected, outcomeOf({ missing: 1, lost: 1 }))).toBe(false)
})

test('the table has a row for each drill, of all its runs', () => {
  const runOf = (seed: number, outcome: Outcome, isKept: boolean): DrillRun => ({
    ...{ drill: 'redis-split', isProtected: true, seed, isKept, outcome },
  })
  const runs = [
    runOf(1, outcomeOf(), true),
    runOf(2, { ...outcomeOf({ missing: 2 }), silentMs: 9_000 }, false),
  ]
  expect(drillsTable(runs).split('\n')).toEqual([
    '| drill | protection | runs | acknowledged | missing | counted as lost | no yes for | back after | promises |',
    '|---|---|---:|---:|---:|---:|---:|---:|---|',
    '| redis-split | on | 2 | 26,000 | 2 | 0 | 9.0 s | 1.2 s | **broken** in 1 |',
  ])
})

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const chaos = (...args: string[]) => run([process.execPath, main, ...args])

test('options that do not belong together are refused, and drills are listed', async () => {
  const [stray, unknown, listed] = await Promise.all([
    chaos('--drill', 'redis-kill'),
    chaos('--target', 'ha', '--drill', 'redis-lull'),
    chaos('--target', 'ha', '--list'),
  ])
  expect(stray).toMatchObject({ code: 2, said: expect.stringContaining('--drill belongs to --target ha') })
  expect(unknown).toMatchObject({ code: 2, said: expect.stringContaining('There is no drill redis-lull') })
  expect(listed.code).toBe(0)
  for (const { name, about } of drills) expect(listed.said).toMatch(new RegExp(`^${name} +${about}$`, 'm'))
})
