/**
 * `Prefer: handling=lenient`: what is good of an array or of lines is queued although not all is. Log shippers send
 * what they have again until all of it is taken, or drop all of it: one bad event must not cost them the others.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Sifted } from '@sekali/core/parse'
import { cloudEventHint } from '../http/cloud-events.ts'
import { applied } from '../http/prefer.ts'
import { refusal } from '../http/problem.ts'
import type { Answer } from '../http/reply.ts'

/** The fields of an answer about events that are not queued. */
export const siftedFields = ({ invalid, bad }: Sifted) => ({ invalid, events: bad })

/** The answer to an array without any event to queue; undefined if there is one. `sent` are the request's headers. */
export function refusalOfNone(sifted: Sifted | undefined, sent: IncomingHttpHeaders): Answer | undefined {
  if (sifted === undefined || sifted.events.length > 0) return undefined
  return refusal('invalid_event', {
    ...siftedFields(sifted),
    queued: 0,
    detail: 'None of the array is an event. Nothing is queued.',
    ...cloudEventHint(sent),
    headers: applied({ isLenient: true }),
  })
}
