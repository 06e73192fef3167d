import { type Finding, ok, warning } from '@sekali/core/finding'
import { lagText, type Standby } from './standby.ts'

/** Where pages, replays and the history of tails come from; nothing where there is no standby. */
export function standbyFindings(standby: Pick<Standby, 'state'> | undefined): Finding[] {
  if (standby === undefined) return []
  const check = 'postgres.standby'
  const { unfit, lag } = standby.state()
  if (unfit === undefined)
    return [ok(check, `reads come from it, ${lag ? lagText(lag) : 'some time'} behind`)]
  return [warning(check, `reads come from the primary: ${unfit}`, remedy)]
}

/** The same in words for `/readyz`: nothing is wrong with this gateway, so it stays ready. */
export function standbyWarnings(standby: Pick<Standby, 'state'> | undefined): string[] {
  const unfit = standby?.state().unfit
  return unfit === undefined ? [] : [`Reads come from the primary, not from the standby: ${unfit}`]
}

const remedy =
  'see pg_stat_wal_receiver and the log there; DATABASE_READ_URL must lead to a standby of the primary of DATABASE_URL'
