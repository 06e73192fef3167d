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
  /** Takes some, to be written down: of so many events that one turn has the time for them. */
  take(): Outcome[]
  /** They could not be written down, and need not be tried again before `ms`. */
  putBack(outcomes: readonly Outcome[], ms: number): void
}

/** Events of one turn: each is a row of the attempts log. */
const eventsMax = 1_000

const eventsOf = ({ also }: Outcome): number => 1 + (also?.length ?? 0)

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
      let events = 0
      const end = all.findIndex((outcome, at) => {
        events += eventsOf(outcome)
        return at > 0 && events > eventsMax
      })
      const taken = end < 0 ? all : all.slice(0, end)
      all = end < 0 ? [] : all.slice(end)
      dueAt = all.length === 0 ? Number.POSITIVE_INFINITY : now()
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
