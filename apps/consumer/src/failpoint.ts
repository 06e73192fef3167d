import process from 'node:process'
import type { Logger } from '@sekali/process/log'
import type { TurnPoint } from './turn.ts'

/**
 * For crash tests: `CONSUMER_FAILPOINT=committed:0.01` ends the process, as kill -9 does, at one in a hundred of the
 * turns that get there; `read:1:SIGSTOP` pauses it instead. Without the variable it does nothing.
 */
export function failpoint(setting: string | undefined, log: Logger): (point: TurnPoint) => void {
  const [name, probability = '1', signal = 'SIGKILL'] = (setting ?? '').split(':')
  if (!name) return () => {}
  return (point) => {
    if (point !== name || Math.random() >= Number(probability)) return
    log.warn({ point, signal }, 'failpoint')
    process.kill(process.pid, signal)
  }
}
