import { SekaliError } from '@sekali/core/errors'
import type { Logger } from '@sekali/process/log'

/**
 * What `work` gives, or undefined if it fails or takes longer than `ms`: for answers that say "unknown" rather than
 * wait. `onFailure` learns why. A late failure is heard, so it cannot end the process; one that is not ours is logged.
 */
export async function within<T>(
  ms: number,
  log: Logger,
  work: Promise<T>,
  onFailure: (error: unknown) => void = () => undefined,
): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      onFailure(undefined)
      resolve(undefined)
    }, ms)
  })
  const heard = work.catch((error: unknown) => {
    if (!(error instanceof SekaliError)) log.error({ err: error }, 'read failed')
    onFailure(error)
    return undefined
  })
  try {
    return await Promise.race([heard, deadline])
  } finally {
    clearTimeout(timer)
  }
}
