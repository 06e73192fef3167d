import { programs } from '../command/repository.ts'
import { type AppOptions, startApp } from './app-process.ts'

const part = 'event keys'

/**
 * Gives the many events of an older version their keys, beside a system that runs. Disposing stops it; the next start goes on
 * where it was.
 */
export async function upgradeKeysBeside(
  options: Pick<AppOptions, 'logDir' | 'env'>,
  events: number,
  onEvent: (part: string, what: string) => void,
): Promise<AsyncDisposable> {
  const name = 'migrate-keys'
  onEvent(
    part,
    `are given to ${events.toLocaleString('en-US')} events of an older version; all goes on meanwhile`,
  )
  const app = await startApp({ ...options, name, program: programs.migrate, args: ['--keys'] })
  let isStopping = false
  void app.exited.then(async () => {
    if (isStopping) return
    const words = await app.lastWords?.()
    const failed = words === undefined || !words.includes('the upgrade to keys is done')
    onEvent(part, failed ? `could not be given to all; the next start goes on. See ${name}.log` : 'are there')
  })
  return {
    [Symbol.asyncDispose]: async () => {
      isStopping = true
      await app.stop()
    },
  }
}
