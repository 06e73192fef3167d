import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { supervise } from '@sekali/servers/supervise'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { startApp } from '../src/system/app-process.ts'

test('of an app that ends by itself the last words of this life are quoted, and of none before', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const program = join(folder.path, 'program.mjs')
  await writeFile(
    program,
    `console.log(JSON.stringify({ level: 60, msg: 'no room for ' + process.env.REASON }))\nprocess.exitCode = 3`,
  )
  await writeFile(join(folder.path, 'app.log'), '{"msg":"of a run before"}\n'.repeat(20))
  const reasons: string[] = []
  let starts = 0
  const start = () => {
    starts += 1
    return startApp({ name: 'app', program, logDir: folder.path, env: { REASON: `reason ${starts}` } })
  }
  await using _kept = await supervise({ start, onChange: (reason) => void (reason && reasons.push(reason)) })
  await eventually(() => expect(reasons.length).toBeGreaterThan(1))
  expect(reasons.slice(0, 2)).toEqual([
    'ended by itself, next start in 100 ms. Its last words:\n    no room for reason 1',
    'ended by itself, next start in 200 ms. Its last words:\n    no room for reason 2',
  ])
})

test('an app that a signal ended is quoted with nothing', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const program = join(folder.path, 'program.mjs')
  await writeFile(program, `console.log('busy'); process.kill(process.pid, 'SIGKILL')`)
  const app = await startApp({ name: 'app', program, logDir: folder.path, env: {} })
  await app.exited
  expect(await app.lastWords?.()).toBe(undefined)
})
