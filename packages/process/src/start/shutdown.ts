import process from 'node:process'
import type { Logger } from './log.ts'

// One Ctrl-C can arrive twice: from the terminal, which signals the whole process group, and from npm, which
// passes it on. A signal counts as a further request only so long after the one before it.
const sameRequestMs = 500

/**
 * A signal that aborts on the first SIGTERM, SIGINT or lost supervisor (IPC `disconnect`): drain now.
 * A second SIGTERM or SIGINT ends the process at once with status 1, unless `force` does something else.
 */
export function shutdownSignal(log?: Logger, force: () => void = () => process.exit(1)): AbortSignal {
  const controller = new AbortController()
  let lastAt: number | undefined
  const request = (reason: string) => {
    const [now, before] = [performance.now(), lastAt]
    if (before !== undefined && (now - before <= sameRequestMs || reason === 'disconnect')) return
    lastAt = now
    if (before === undefined) {
      log?.info({ reason }, 'draining')
      controller.abort(reason)
    } else {
      log?.warn({ reason }, 'forced to end')
      force()
    }
  }
  process.on('SIGTERM', request)
  process.on('SIGINT', request)
  process.once('disconnect', () => request('disconnect'))
  return controller.signal
}
