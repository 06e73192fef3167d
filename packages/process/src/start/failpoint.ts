import process from 'node:process'
import type { Logger } from './log.ts'

/**
 * For crash tests: `committed:0.01` ends the process, as kill -9 does, at one in a hundred of the times it gets to
 * that point; `read:1:SIGSTOP` pauses it instead. Without a setting it does nothing.
 */
export function failpoint<Point extends string>(
  setting: string | undefined,
  log: Logger,
): (point: Point) => void {
  const [name, probability = '1', signal = 'SIGKILL'] = (setting ?? '').split(':')
  if (!name) return () => {}
  return (point) => {
    if (point !== name || Math.random() >= Number(probability)) return
    log.warn({ point, signal }, 'failpoint')
    process.kill(process.pid, signal)
  }
}
