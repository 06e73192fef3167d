import process from 'node:process'
import type { Logger } from './log.ts'

/**
 * For crash tests. `committed:0.01` ends the process as kill -9 does, in one of a hundred times that it gets to that point;
 * `read:1:SIGSTOP` pauses it instead. Without a setting nothing happens.
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
