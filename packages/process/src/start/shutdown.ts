import process from 'node:process'
import type { Logger } from './log.ts'

// One Ctrl-C can arrive twice: from the terminal, which signals the whole process group, and from npm, which
// passes it on. A signal counts as a second request only after this time.
const sameRequestMs = 500

/**
 * A signal that aborts on the first SIGTERM, SIGINT or lost supervisor (IPC `disconnect`): drain now.
 * A second SIGTERM or SIGINT ends the process at once with status 1, unless `force` does something else.
 */
export function shutdownSignal(log?: Logger, force: () => void = () => process.exit(1)): AbortSignal {
  const controller = new AbortController()
  let firstAt: number | undefined
  const request = (reason: string) => {
    const now = performance.now()
    if (firstAt === undefined) {
      firstAt = now
      log?.info({ reason }, 'draining')
      controller.abort(reason)
    } else if (now - firstAt > sameRequestMs && reason !== 'disconnect') {
      log?.warn({ reason }, 'forced to end')
      force()
    }
  }
  process.on('SIGTERM', request)
  process.on('SIGINT', request)
  process.once('disconnect', () => request('disconnect'))
  return controller.signal
}
