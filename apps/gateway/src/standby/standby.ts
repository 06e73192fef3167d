/**
 * Looks, once a second, whether the standby of DATABASE_READ_URL is fit to be read from: a copy of the very log that the
 * primary has, and not much behind it. A standby that has been promoted, or follows a primary that was left behind, may have
 * other events at the same numbers, so it must be on the primary's timeline.
 *
 * While the primary is away nothing new is written, so the standby stays what it was found to be.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { troubleOf } from '@sekali/core/trouble'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { type Replayed, readReplayed, readWritten, type Written } from '@sekali/store/standby'
import { within } from '../clients/deadline.ts'
import { createLagMeter, type Lag } from './lag.ts'

interface StandbyState {
  /** Why reads come from the primary, in words; `undefined` where they come from the standby. */
  readonly unfit: string | undefined
  /** `undefined` while the standby is away, or has not been compared with the primary. */
  readonly lag: Lag | undefined
}

export interface Standby extends AsyncDisposable {
  readonly store: Store
  state(): StandbyState
  /** A read has failed there: the next look comes soon. */
  doubt(): void
}

export interface StandbyDeps {
  readonly store: Store
  readonly readStore: Store
  readonly log: Logger
}

export interface StandbyOptions {
  /** A standby that is further behind is not read from. */
  readonly lagMsMax?: number
  readonly lookMs?: number
}

/** A look at a server is given up after this time. */
const answerMs = 1_500
/** Between two looks, however many reads fail. */
const againMs = 200

export function createStandby(
  { store, readStore, log }: StandbyDeps,
  { lagMsMax = 10_000, lookMs = 1_000 }: StandbyOptions = {},
): Standby {
  const meter = createLagMeter()
  const closing = new AbortController()
  let isDoubted = false
  let primary: Written | undefined
  let state: StandbyState = { unfit: 'it has not been compared with the primary yet', lag: undefined }

  async function look(): Promise<StandbyState> {
    const written = await within(answerMs, log, readWritten(store))
    if (written !== undefined) {
      primary = written
      meter.onWritten(written.bytes, performance.now())
    }
    let failure: unknown
    // Behind the primary, so that what it has meanwhile counts for it.
    const replayed = await within(answerMs, log, readReplayed(readStore), (error) => {
      failure = error
    })
    if (replayed === undefined) return { unfit: awayText(failure), lag: undefined }
    if (primary === undefined) return { ...state, lag: undefined }
    const lag = meter.lagOf(replayed)
    return { unfit: unfitText(primary, replayed, lag, lagMsMax), lag }
  }

  function note(found: StandbyState): void {
    const { unfit, lag } = found
    const before = state.unfit
    state = found
    // Where several are named, another one may do.
    if (unfit !== undefined && primary !== undefined) readStore.leave('unfit')
    if ((unfit === undefined) === (before === undefined)) return
    if (unfit === undefined) log.info({ ...lag }, 'reads come from the standby')
    else log.warn({ ...lag, why: `${unfit}. ${readStore.tried}` }, 'reads come from the primary')
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      note(await look())
      isDoubted = false
      let restedMs = 0
      do {
        await pause(againMs, closing.signal)
        restedMs += againMs
      } while (restedMs < lookMs && !isDoubted && !closing.signal.aborted)
    }
  }

  const running = run()
  return {
    store: readStore,
    state: () => state,
    doubt: () => {
      isDoubted = true
    },
    async [Symbol.asyncDispose]() {
      closing.abort()
      await running
    },
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal, ref: false }).catch(() => undefined) // only the signal rejects it

function awayText(failure: unknown): string {
  const { code, what } = troubleOf('PostgreSQL', failure)
  return `it cannot be read: ${what} (${code})`
}

function unfitText(
  primary: Written,
  replayed: Replayed,
  lag: Lag | undefined,
  lagMsMax: number,
): string | undefined {
  if (replayed.system !== primary.system) return 'it is no copy of the PostgreSQL of DATABASE_URL'
  if (replayed.timeline !== primary.timeline) {
    return `it is on timeline ${replayed.timeline}, and the primary on ${primary.timeline}`
  }
  if (lag === undefined || lag.seconds === undefined) return 'how far it is behind is not known'
  return lag.seconds * 1_000 > lagMsMax ? `it is ${lagText(lag)} behind` : undefined
}

/** As `12.3 s (45 kB)`. */
export const lagText = ({ seconds, bytes }: Lag): string =>
  `${seconds === undefined ? 'some time' : `${seconds.toFixed(1)} s`} (${Math.ceil(bytes / 1_000)} kB)`
