/**
 * Carried out, but never answered: the two that matter most.
 *
 * Threatens: exactly once (who got no answer repeats itself), conservation (an entry, or a commit, that nobody was
 * told about), first in, first out (the repeat must not overtake). Recovered as everywhere.
 */
import { defineFault, type Fault } from '../fault.ts'
import type { Edge } from '../targets/target.ts'

const trapMs = 10_000

function dropped(name: string, about: string, edge: Edge, request: RegExp): Fault {
  return defineFault({
    name,
    about,
    needs: ['proxies'],
    async run({ target, random, pause }, signal) {
      for (let times = random.int(1, 5); times > 0 && !signal.aborted; times--) {
        const deadline = AbortSignal.any([signal, AbortSignal.timeout(trapMs)])
        const sprung = await target.proxies[edge].dropReply(request, deadline)
        if (!sprung) throw new Error(`no such request in ${trapMs / 1_000} s`)
        await pause(random.int(0, 300))
      }
    },
  })
}

/** An append, by the key that only it has: gateways also send scripts that look. */
export const appendRequest = /\r\n(?:EVALSHA|EVAL|FCALL)\r\n[\s\S]*:dirty\r\n/i

export const replies: readonly Fault[] = [
  dropped(
    'drop-append-reply',
    'Redis carries out an append, its answer is swallowed and the connection cut',
    'gateway-redis',
    appendRequest,
  ),
  dropped(
    'drop-commit-reply',
    'PostgreSQL carries out a COMMIT, its answer is swallowed and the connection cut',
    'consumer-postgres',
    /COMMIT/i,
  ),
  dropped(
    'drop-read-reply',
    'Redis delivers entries to a consumer, which never gets them',
    'consumer-redis',
    /\r\nXREADGROUP\r\n/i,
  ),
  dropped(
    'drop-publish-reply',
    'the gateway accepts an event, and the publisher never hears of it',
    'client',
    /^POST \/publish/,
  ),
]
