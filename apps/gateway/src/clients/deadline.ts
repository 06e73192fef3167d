import { withDeadline } from '@sekali/core/deadline'
import { SekaliError } from '@sekali/core/errors'
import type { Logger } from '@sekali/process/log'

/**
 * What `work` gives, or undefined if it fails or takes longer than `ms`: for answers that say "unknown" rather than
 * wait. `onFailure` gets the error, or undefined if it took too long. A late failure is caught, so that it cannot end the
 * process. An error that is none of Sekali's is logged.
 */
export async function within<T>(
  ms: number,
  log: Logger,
  work: Promise<T>,
  onFailure: (error: unknown) => void = () => undefined,
): Promise<T | undefined> {
  const caught = work.catch((error: unknown) => {
    if (!(error instanceof SekaliError)) log.error({ err: error }, 'read failed')
    onFailure(error)
    return undefined
  })
  return await withDeadline(caught, ms, () => {
    onFailure(undefined)
    return undefined
  })
}
