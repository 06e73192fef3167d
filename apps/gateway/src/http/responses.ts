/**
 * Bounds what response bodies hold in memory together, from before they are read until the kernel has them, or their
 * client is gone: clients that request pages and do not read them could hold gigabytes otherwise.
 *
 * Before anything is read a request gets room for what most answers take; a client that has its share already is
 * refused here, and costs PostgreSQL nothing. The body itself is counted once it is there. What is read at the
 * moment may be beyond the budget: a page of 2 MiB for each connection of PostgreSQL's pool.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import { createBudget, type Share } from '../clients/budget.ts'
import type { Clients } from '../clients/clients.ts'
import { type Answer, bodyBytesOf } from './reply.ts'
import type { Handler } from './router.ts'

export interface Responses {
  /** The same handler, whose answers are counted. It throws `Overloaded` or `ClientLimit` as well. */
  counted(handler: Handler): Handler
  /** An answer that is counted if it is a large one. Throws `Overloaded` or `ClientLimit`. */
  count(request: IncomingMessage, response: ServerResponse, answer: Answer): Answer
}

/** Most answers have no more, nor has a replay in memory as long as it waits for its client. */
const usualBytes = 64 * 1024

export function createResponses(clients: Clients, bytesMax = 64 * 1024 * 1024): Responses {
  const budget = createBudget(bytesMax, 'too many bytes of responses are under way')
  return {
    counted: (handler) => async (c) => {
      const { incoming, outgoing } = (c.env ?? {}) as Partial<HttpBindings>
      const share = budget.share(clients.of(incoming))
      share.hold(usualBytes)
      try {
        const response = await handler(c)
        const bytes = bodyBytesOf(response)
        if (outgoing === undefined || outgoing.destroyed) share[Symbol.dispose]()
        else holdUntilTaken(outgoing, share, bytes ?? usualBytes)
        return response
      } catch (error) {
        share[Symbol.dispose]()
        throw error
      }
    },
    count(request, response, answer) {
      const bytes = Buffer.byteLength(answer.body ?? '')
      if (bytes > usualBytes && !response.destroyed) {
        holdUntilTaken(response, budget.share(clients.of(request)), bytes)
      }
      return answer
    },
  }
}

function holdUntilTaken(outgoing: ServerResponse, share: Share, bytes: number): void {
  share.hold(bytes)
  outgoing.once('close', () => share[Symbol.dispose]())
}
