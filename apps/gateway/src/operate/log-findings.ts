import { type Finding, ok, problem, unknown, warning } from '@sekali/core/finding'
import type { ForkedTopic } from '@sekali/store/forks'
import { gapText } from '@sekali/store/gaps'
import { listed } from './findings.ts'
import type { GapsFound } from './gap-search.ts'

/** After this time a restore is history: whoever was beyond it has been told, or is gone. */
const restoreMsMax = 7 * 24 * 60 * 60 * 1_000

/** Undefined is what could not be read: that PostgreSQL is away is another finding. */
export function restoredFinding(forked: readonly ForkedTopic[] | undefined, nowMs: number): Finding {
  const check = 'log.restored'
  if (forked === undefined) return unknown(check, 'could not be read in time')
  const latest = forked
    .flatMap(({ topic, forks }) => forks.slice(-1).map((fork) => ({ topic, ...fork })))
    .sort((a, b) => (a.at < b.at ? 1 : -1))
  const [first] = latest
  if (first === undefined) return ok(check, 'never')
  const places = latest.map(({ topic, epoch, forkedAt }) => `${topic} after seq ${forkedAt} (epoch ${epoch})`)
  const what = `PostgreSQL was put back to an earlier state, last noticed at ${first.at}: the log has forked in ${listed(places)}`
  if (nowMs - Date.parse(first.at) > restoreMsMax) return ok(check, what)
  return warning(
    check,
    what,
    'readers beyond that are told (log_restored) and read again from there; events that were stored after the backup are gone: publish them again',
  )
}

/** Undefined as above. */
export function gapsFinding(found: GapsFound | undefined): Finding {
  const check = 'log.gaps'
  if (found === undefined) return unknown(check, 'could not be looked for in time')
  const { gaps, seqs, isWhole } = found
  const looked = `${seqs.toLocaleString('en-US')} seqs looked at`
  if (gaps.length === 0)
    return ok(check, isWhole ? `none, ${looked}` : `none so far, ${looked}; the next look goes on`)
  const [first] = gaps
  const topics = listed(gaps.map(({ topic }) => topic))
  return problem(
    check,
    `rows of events were deleted in ${topics}: ${first === undefined ? '' : gapText(first)}`,
    'readers pass over them in silence, and projections stop there: put PostgreSQL back from a backup',
  )
}
