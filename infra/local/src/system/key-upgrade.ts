import { programs } from '../command/repository.ts'
import { type AppOptions, startApp } from './app-process.ts'

const part = 'event keys'

/**
 * Gives so many events of an older version their keys, beside a system that runs, and takes the last step: our processes are
 * of this version. Disposing stops it; the next start goes on where it was.
 */
export async function upgradeKeysBeside(
  options: Pick<AppOptions, 'logDir' | 'env'>,
  events: number,
  onEvent: (part: string, what: string) => void,
): Promise<AsyncDisposable> {
  const name = 'migrate-keys'
  const given = `are given to ${events.toLocaleString('en-US')} events of an older version; all goes on meanwhile`
  if (events > 0) onEvent(part, given)
  const app = await startApp({ ...options, name, program: programs.migrate, args: ['--keys'] })
  let isStopping = false
  void app.exited.then(async () => {
    if (isStopping) return
    const words = await app.lastWords?.()
    const isDone = words?.includes('the upgrade to keys is done')
    onEvent(part, isDone ? 'are there' : `have steps left; the next start goes on. See ${name}.log`)
  })
  return {
    [Symbol.asyncDispose]: async () => {
      isStopping = true
      await app.stop()
    },
  }
}
