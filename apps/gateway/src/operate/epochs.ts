import { BeginEpochs } from '@sekali/api/epochs'
import { beginEpochs, countForEpochs } from '@sekali/store/begin-epochs'
import type { Store } from '@sekali/store/connect'
import { byOf } from '../access/by.ts'
import { refusalOfPattern } from '../access/may.ts'
import { grantOf } from '../access/principals.ts'
import type { Clients } from '../clients/clients.ts'
import { parseBody } from '../http/parse-body.ts'
import { reply, toResponse } from '../http/reply.ts'
import type { Handler } from '../http/router.ts'

/** POST /epochs: begin another epoch of all logs, after a restore that no consumer can find out. */
export function beginAllEpochs({
  store,
  clients,
}: {
  readonly store: Store
  readonly clients: Clients
}): Handler {
  return async (c) => {
    const refused = refusalOfPattern(grantOf(c.env?.incoming), undefined) // it is about all topics
    if (refused !== undefined) return toResponse(refused)
    const body = parseBody(c.env.incoming, BeginEpochs)
    if ('refused' in body) return toResponse(body.refused)
    const { dry_run = false, restored_at: restoredAt } = body.value
    if (!dry_run) {
      const begun = await beginEpochs(store, restoredAt, byOf(c.env.incoming, clients))
      return reply(201, JSON.stringify(begun))
    }
    const { topics, events, newestStoredAt, startedAt, storedSinceStart } = await countForEpochs(store)
    return reply(
      200,
      JSON.stringify({
        topics,
        events,
        newest_stored_at: newestStoredAt,
        started_at: startedAt,
        stored_since_start: storedSinceStart,
      }),
    )
  }
}
