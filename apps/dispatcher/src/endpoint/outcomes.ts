/** What came of events and is not written down yet. It waits for the next turn, but not for long. */
import type { PushOutcome } from '@sekali/store/push-types'

/** `beganAt` of the attempt, by this process's own clock; PostgreSQL is told how long ago that is. */
export type Outcome = PushOutcome & { readonly beganAt?: number }

export interface Outcomes {
  readonly count: number
  /** Whether they have waited as long as they may. */
  readonly isDue: boolean
  /** Milliseconds until they have; `undefined` where there are none. */
  waitMs(): number | undefined
  add(outcome: Outcome): void
  /** Takes all of them, to be written down. */
  take(): Outcome[]
  /** They could not be written down, and need not be tried again before `ms`. */
  putBack(outcomes: readonly Outcome[], ms: number): void
}

export function createOutcomes(lingerMs: number, now = performance.now.bind(performance)): Outcomes {
  let all: Outcome[] = []
  let dueAt = Number.POSITIVE_INFINITY
  return {
    get count() {
      return all.length
    },
    get isDue() {
      return all.length > 0 && now() >= dueAt
    },
    waitMs: () => (all.length === 0 ? undefined : Math.max(0, dueAt - now())),
    add(outcome) {
      all.push(outcome)
      dueAt = Math.min(dueAt, now() + lingerMs)
    },
    take() {
      const taken = all
      all = []
      dueAt = Number.POSITIVE_INFINITY
      return taken
    },
    putBack(outcomes, ms) {
      all.unshift(...outcomes)
      dueAt = now() + ms
    },
  }
}

/** As a turn wants them. */
export const settled = (
  outcomes: readonly Outcome[],
  now = performance.now.bind(performance),
): PushOutcome[] =>
  outcomes.map(({ beganAt, ...outcome }) =>
    outcome.report === undefined || beganAt === undefined
      ? outcome
      : { ...outcome, report: { ...outcome.report, ageMs: now() - beganAt } },
  )
