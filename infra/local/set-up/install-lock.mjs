// Two bootstraps may be started at once on a fresh clone, and npm ci begins by deleting node_modules. A
// directory is the lock, because making one is atomic; it names its holder, so that one that was killed is
// not waited for.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { say } from './say.mjs'

const stepMs = 200
// Between making the directory and writing the name into it.
const namelessMsMax = 5_000

export async function withInstallLock(root, work) {
  const folder = join(root, '.sekali', 'installing')
  mkdirSync(join(root, '.sekali'), { recursive: true })
  let waiting = false
  while (!taken(folder)) {
    if (isAbandoned(folder)) {
      rmSync(folder, { recursive: true, force: true })
      continue
    }
    if (!waiting) say('Another set-up installs the dependencies; waiting for it.')
    waiting = true
    await pause(stepMs)
  }
  const leave = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', leave)
  try {
    await work()
  } finally {
    process.off('exit', leave)
    leave()
  }
}

function taken(folder) {
  try {
    mkdirSync(folder)
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
  writeFileSync(join(folder, 'pid'), String(process.pid))
  return true
}

function isAbandoned(folder) {
  try {
    const holder = readFileSync(join(folder, 'pid'), 'utf8')
    return holder !== '' && !isAlive(Number(holder))
  } catch {
    const made = statSync(folder, { throwIfNoEntry: false })
    return made !== undefined && Date.now() - made.mtimeMs > namelessMsMax
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}
