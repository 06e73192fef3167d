import type { NotLoaded } from '@sekali/core/not-loaded'
import { notifySupervisor } from '@sekali/process/notice'
import { announceMs } from '@sekali/store/announce-projections'
import type { Store } from '@sekali/store/connect'
import { reportNotLoaded } from '@sekali/store/not-loaded'

/**
 * Returns a function that tells the supervisor and PostgreSQL which files do not load: at once when that changes, and
 * PostgreSQL again at each announcement. The first call clears what an earlier process has reported. Rejects with
 * `StoreUnavailable`; then the next call reports.
 */
export function createReports(
  store: Store,
  projector: string,
): (files: readonly NotLoaded[]) => Promise<void> {
  let notified = '[]'
  let reported: string | undefined
  let reportedAt = -Infinity
  return async (files) => {
    const text = JSON.stringify(files)
    if (text !== notified) notifySupervisor({ notLoaded: files })
    notified = text
    const isDue = files.length > 0 && performance.now() - reportedAt >= announceMs
    if (text === reported && !isDue) return
    await reportNotLoaded(store, projector, files)
    reported = text
    reportedAt = performance.now()
  }
}
