import type { Store } from '../postgres/connect.ts'
import { callOnce } from './call.ts'

/**
 * What somebody has to see to where nothing is pulled; every gateway calls it, once a second. It notes that PostgreSQL answers:
 * where nobody noted that for a while, leases did not run. And it looks at some subscriptions: gives up what was delivered too
 * often, and has topics join that came meanwhile. Rejects with `StoreUnavailable`.
 */
export async function lookAtSubscriptions(store: Store): Promise<void> {
  await callOnce(store, 'look at subscriptions', 'SELECT subscriptions.look()')
}
