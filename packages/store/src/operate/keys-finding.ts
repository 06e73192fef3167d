import { type Finding, ok, warning } from '@sekali/core/finding'
import type { KeysState } from '../keys/state.ts'

const check = 'store.keys'
const upgradeKeys =
  'once all processes are of this version, run node apps/consumer/src/migrate.ts --keys; the system may run meanwhile'
const replaceOlder = 'replace them: their consumers store nothing, and they look ids up without an index'

/** How far a log of an older version is with its keys. */
export function keys(state: KeysState | undefined): Finding[] {
  if (state === undefined) return []
  const { events, left, isUsed, isRequired, older } = state
  const names = older.join(', ')
  if (isRequired && older.length > 0)
    return [warning(check, `processes of an older version are connected: ${names}`, replaceOlder)]
  if (isRequired) return [ok(check, 'every event has its key')]
  if (!isUsed) {
    const percent = Math.floor(((events - left) / Math.max(events, 1)) * 100)
    const share = `${percent} % of ${events.toLocaleString('en-US')} events have keys`
    return [warning(check, `${share}: ids are looked up by their texts, as before`, upgradeKeys)]
  }
  const why = older.length > 0 ? `: ${names}` : ''
  return [
    warning(
      check,
      `the index of the texts of ids is kept for processes of an older version${why}`,
      upgradeKeys,
    ),
  ]
}
