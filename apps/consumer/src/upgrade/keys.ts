import type { Logger } from '@sekali/process/log'
import { notifySupervisor } from '@sekali/process/notice'
import { diskNeed, type KeysState } from '@sekali/store/keys-state'
import { type UpgradeStep, upgradeKeys } from '@sekali/store/upgrade-keys'

/** Up to so many events get their keys at once, in some seconds; more are not begun unless somebody wants it. */
const eventsMax = 100_000
/** Between two lines about one step. */
const saysEveryMs = 5_000

const words: Readonly<Record<UpgradeStep, string>> = {
  fill: 'events of an older version get their keys; it takes this much of PostgreSQL\u2019s disk',
  check: 'it is checked that every event has its key',
  index: 'the index of keys is made',
  use: 'ids are looked up by key from now on',
  require: 'events without keys are refused from now on, and the index of the texts of ids is dropped',
}

/**
 * Does what can be done of the upgrade of a log to keys, and logs what is done, how far it is and what is left. With
 * `all`, however large the log is, and the last step too. Resolves with whether it is as far as somebody wants it: done, or
 * stopped by `signal`. Rejects with `StoreUnavailable`.
 */
export async function upgradeSaying(
  url: string,
  log: Logger,
  { all, signal }: { readonly all: boolean; readonly signal: AbortSignal },
): Promise<boolean> {
  let step: UpgradeStep | undefined
  let filled = 0
  let events = 0
  const startedAt = performance.now()
  const timer = setInterval(() => {
    if (step === undefined) return
    const seconds = Math.round((performance.now() - startedAt) / 1_000)
    log.info({ step, seconds, ...(step === 'fill' && { filled, of: events }) }, 'the upgrade goes on')
  }, saysEveryMs)
  try {
    const state = await upgradeKeys(url, {
      ...(!all && { eventsMax, exceptLast: true }),
      signal,
      onStep: (now, state) => {
        step = now
        events = state.left
        log.info(now === 'fill' ? needOf(state) : {}, words[now])
      },
      onFilled: (more) => {
        filled += more
      },
    })
    sayEnd(log, state, { saysDone: all || step !== undefined, signal })
    return state?.isRequired === true || signal.aborted
  } finally {
    clearInterval(timer)
  }
}

function needOf(state: KeysState) {
  const { kept, meanwhile } = diskNeed(state)
  return { events: state.left, keptBytes: kept, meanwhileBytes: meanwhile }
}

function sayEnd(
  log: Logger,
  state: KeysState | undefined,
  { saysDone, signal }: { readonly saysDone: boolean; readonly signal: AbortSignal },
): void {
  if (state === undefined) log.warn('another process is at the upgrade to keys already')
  else if (state.isRequired) {
    if (saysDone) log.info('the upgrade to keys is done')
  } else if (signal.aborted)
    log.info({ left: state.left }, 'the upgrade to keys has stopped, and goes on the next time')
  else if (state.isUsed) {
    if (state.older.length === 0) notifySupervisor({ keyless: 0 })
    log.warn(
      { older: state.older },
      'the index of the texts of ids is kept for processes of an older version: once all are replaced, also those that are ' +
        'not connected, run `migrate.ts --keys`',
    )
  } else {
    notifySupervisor({ keyless: state.left })
    log.warn(
      needOf(state),
      'events of an older version have no keys yet: ids are looked up by their texts, as before. Once all ' +
        'processes are of this version, `migrate.ts --keys` gives them keys while the system runs, if PostgreSQL has this ' +
        'much disk',
    )
  }
}
