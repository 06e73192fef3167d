import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { startOf } from '@sekali/servers/process-info'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { expect, test } from 'vitest'
import { lockData } from '../src/system/data-lock.ts'

test('a data directory has one holder, and is free again when that one lets go', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const lock = await lockData(folder.path)
  await expect(lockData(folder.path)).rejects.toMatchObject({ code: 'data_in_use' })
  await lock[Symbol.asyncDispose]()
  await using again = await lockData(folder.path)
  expect(again.wasStale).toBe(false)
})

test('the lock of a process that has ended is taken over', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const holder = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  await once(holder, 'spawn')
  await writeFile(join(folder.path, 'lock'), `${holder.pid} ${await startOf(holder.pid ?? 0)} x\n`)
  await expect(lockData(folder.path)).rejects.toThrow(`in use by process ${holder.pid}`)
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  await using lock = await lockData(folder.path)
  expect(lock.wasStale).toBe(true)
})

test('a live process with the same id as a dead holder does not hold the lock', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  await writeFile(join(folder.path, 'lock'), `${process.pid} started at another time x\n`)
  await using lock = await lockData(folder.path)
  expect(lock.wasStale).toBe(true)
})

test('of many that find a stale lock at the same time one gets it', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  await writeFile(join(folder.path, 'lock'), '999999999 long ago x\n')
  const attempts = await Promise.allSettled(Array.from({ length: 20 }, () => lockData(folder.path)))
  expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  expect(await readdir(folder.path)).toEqual(['lock'])
  expect(await readFile(join(folder.path, 'lock'), 'utf8')).toMatch(new RegExp(`^${process.pid} `))
})
