import { join } from 'node:path'
import process from 'node:process'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { endSpawned, spawnLogged } from '../src/process/spawned.ts'
import { supervise } from '../src/process/supervise.ts'
import { ownFolder } from './folder.ts'

const forEver = 'setInterval(() => {}, 1000)'

async function startNode(folder: string, script: string) {
  const spawned = await spawnLogged({
    command: process.execPath,
    args: ['-e', script],
    env: {},
    logFile: join(folder, 'log'),
  })
  return { pid: spawned.pid, exited: spawned.exited, stop: () => endSpawned(spawned, 'SIGTERM', 5_000) }
}

test('a process that is killed is started again, and the change is reported', async () => {
  await using folder = await ownFolder()
  const reasons: (string | undefined)[] = []
  await using kept = await supervise({
    start: () => startNode(folder.path, forEver),
    onChange: (reason) => reasons.push(reason),
  })
  const before = kept.current()?.pid ?? 0
  process.kill(before, 'SIGKILL')
  const after = await eventually(() => {
    const pid = kept.current()?.pid
    if (pid === undefined || pid === before) throw new Error('not yet')
    return pid
  })
  expect(isAlive(after)).toBe(true)
  expect(reasons).toEqual([undefined, 'ended by itself, next start in 100 ms', undefined])
})

test('one that ends again and again is started later and later', async () => {
  await using folder = await ownFolder()
  const reasons: string[] = []
  await using _kept = await supervise({
    start: () => startNode(folder.path, 'process.exit(3)'),
    onChange: (reason) => void (reason && reasons.push(reason)),
  })
  await eventually(() => expect(reasons.length).toBeGreaterThanOrEqual(3))
  const waits = reasons.slice(0, 3).map((reason) => /in (\d+) ms/.exec(reason)?.[1])
  expect(waits).toEqual(['100', '200', '400'])
})

test('a first start that fails is the caller’s to see', async () => {
  const start = () => Promise.reject(new Error('no such thing'))
  await expect(supervise({ start })).rejects.toThrow('no such thing')
})

test('one that is stopped stays stopped', async () => {
  await using folder = await ownFolder()
  let starts = 0
  const kept = await supervise({
    start: () => {
      starts += 1
      return startNode(folder.path, forEver)
    },
  })
  const pid = kept.current()?.pid ?? 0
  await kept.stop()
  await kept.stop()
  expect(kept.current()).toBe(undefined)
  expect(isAlive(pid)).toBe(false)
  expect(starts).toBe(1)
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
