import { spawn } from 'node:child_process'
import { fstatSync } from 'node:fs'

/**
 * Calls `onLeft` once whoever reads our standard output from a pipe has left, although nothing is written. Node cannot
 * see that, but GNU tail can: it holds the pipe as well, and ends by SIGPIPE. Without it, as on a Mac, one hears of it
 * at the next write.
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
