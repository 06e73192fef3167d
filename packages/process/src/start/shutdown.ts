import process from 'node:process'
import type { Logger } from './log.ts'

// One Ctrl-C can arrive twice: from the terminal, which signals the whole process group, and from npm, which
// passes on what it gets. Only what comes later than this is a second wish.
const sameWishMs = 500

/**
 * A signal that aborts on the first SIGTERM, SIGINT or lost supervisor (IPC `disconnect`): drain now.
 * A second SIGTERM or SIGINT ends the process at once with status 1.
 */
export function shutdownSignal(log?: Logger): AbortSignal {
  const controller = new AbortController()
  let firstAt: number | undefined
  const wish = (reason: string) => {
    const now = performance.now()
    if (firstAt === undefined) {
      firstAt = now
      log?.info({ reason }, 'draining')
      controller.abort(reason)
    } else if (now - firstAt > sameWishMs && reason !== 'disconnect') {
      log?.warn({ reason }, 'forced to end')
      process.exit(1)
    }
  }
  process.on('SIGTERM', wish)
  process.on('SIGINT', wish)
  process.once('disconnect', () => wish('disconnect'))
  return controller.signal
}
