import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import process from 'node:process'
import { expect, test } from 'vitest'

test('what cannot be said, because standard error is on a full disk, ends nothing', () => {
  const full = openSync('/dev/full', 'a')
  const lines = `
    import { narrate } from './src/command/narration.ts'
    for (let n = 0; n < 3; n++) narrate('the disk', 'is full')
    console.log('alive')`
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', lines], {
    cwd: new URL('..', import.meta.url),
    stdio: ['ignore', 'pipe', full],
    encoding: 'utf8',
  })
  closeSync(full)
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'alive\n' })
})
