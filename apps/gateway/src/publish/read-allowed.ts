import type { IncomingMessage } from 'node:http'
import { badBearer } from '../access/bearer.ts'
import { issueOf, refusalOfEvents } from '../access/may.ts'
import { principalOf } from '../access/principals.ts'
import type { Share } from '../clients/budget.ts'
import type { Answer } from '../http/reply.ts'
import { readBody } from './body.ts'
import type { PublishDeps } from './deps.ts'
import { type BodyEvents, readEvents } from './read-events.ts'

/** What may be published. */
interface Allowed {
  readonly read: BodyEvents
  /** When the whole body was here: `performance.now()`. */
  readonly since: number
}

/**
 * Reads the events of a body, if whoever sends it may publish all of them, and as many. Of an array that is read leniently,
 * those that may not be published are among the bad ones. Throws as `readBody`, `readEvents` and `Quota.spend` do.
 */
export async function readAllowed(
  { timeSlices, clients }: Pick<PublishDeps, 'timeSlices' | 'clients'>,
  request: IncomingMessage,
  share: Share,
  isLenient: boolean,
): Promise<Allowed | Answer> {
  const { grant, life, quota } = principalOf(request)
  quota.requireRoom(Number(request.headers['content-length'] ?? 0))
  using _underWay = life.begin()
  const body = await readBody(request, share, quota.requireRoom)
  const since = performance.now()
  quota.spend({ events: 0, bytes: body.bytes }) // also of a body that is refused
  const lenient = isLenient ? { issueOf: issueOf.bind(undefined, grant) } : undefined
  const read = await readEvents(timeSlices, clients.of(request), body, lenient)
  if (life.over !== undefined) return badBearer(life.over) // while the body came
  const isSifted = read.isBatch && read.sifted !== undefined
  const refused = isSifted ? undefined : refusalOfEvents(grant, read.events, read.isBatch)
  if (refused !== undefined) return refused
  quota.spend({ events: read.events.length, bytes: 0 })
  return { read, since }
}
