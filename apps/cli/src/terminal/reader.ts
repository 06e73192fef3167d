import { spawn } from 'node:child_process'
import { fstatSync } from 'node:fs'

/**
 * Calls `onLeft` when the reader of a pipe on our standard output has left, even while nothing is written. Node cannot see
 * that, but GNU tail can: it holds the pipe as well, and ends by SIGPIPE. Without GNU tail, as on a Mac, only the next write
 * fails.
 */
export function watchReader(onLeft: () => void): Disposable {
  if (!fstatSync(1).isFIFO()) return { [Symbol.dispose]() {} }
  // It ends with us, so that the reader does not wait for it.
  const args = ['-f', '-s', '0.2', `--pid=${process.pid}`, '/dev/null']
  const child = spawn('tail', args, { stdio: ['ignore', 'inherit', 'ignore'] })
  child.on('error', () => undefined) // there is no tail
  child.on('exit', (_code, signal) => {
    if (signal === 'SIGPIPE') onLeft()
  })
  child.unref()
  return { [Symbol.dispose]: () => void child.kill() }
}
