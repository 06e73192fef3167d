// The bootstrap stands between npm and what runs, and must not go before it. So it passes SIGINT and
// SIGTERM on and stays until the child has ended. A terminal's Ctrl-C reaches the child directly too: it
// counts two signals within half a second as one. npm that dies without a word (kill -9) is noticed by the
// change of our parent; the other way round, when we die without a word, the end of the IPC channel tells
// the child.
import { spawn } from 'node:child_process'
import { say } from './say.mjs'

const parentCheckMs = 500
// As a shell reports what a signal ended.
const statusOf = { SIGINT: 130, SIGTERM: 143 }

/** Runs one child after the other and passes on what we are told. */
export function createRelay() {
  let child
  let told
  const end = () => {
    say('Interrupted; nothing is left running. The same command goes on from here.')
    process.exit(statusOf[told])
  }
  const pass = (signal) => {
    told = signal
    if (child === undefined) end()
    child.kill(signal)
  }
  process.on('SIGINT', pass)
  process.on('SIGTERM', pass)

  const parent = process.ppid
  // Only below npm: a shell may well end before what it started in the background.
  const orphaned = () => process.env.npm_lifecycle_event !== undefined && process.ppid !== parent
  const watch = setInterval(() => {
    if (!orphaned()) return
    clearInterval(watch)
    // Once we have been told to end, so has the child: another signal would force it to.
    if (told === undefined) pass('SIGTERM')
  }, parentCheckMs)

  return {
    /** Resolves with `{ code, signal }` when the child has ended; `code` is 127 when it cannot be started. */
    run: (command, args, { ipc = false, stdio = 'inherit', ...options } = {}) =>
      new Promise((resolve) => {
        const streams = typeof stdio === 'string' ? [stdio, stdio, stdio] : stdio
        child = spawn(command, args, { ...options, stdio: ipc ? [...streams, 'ipc'] : streams })
        const settle = (ending) => {
          child = undefined
          resolve(ending)
        }
        child.once('error', () => settle({ code: 127, signal: null }))
        child.once('exit', (code, signal) => settle({ code, signal }))
      }),
    /** After a step of the set-up: one that was interrupted is the end. */
    endIfInterrupted: () => {
      if (told !== undefined) end()
    },
    close: () => {
      clearInterval(watch)
      process.off('SIGINT', pass)
      process.off('SIGTERM', pass)
    },
  }
}
