import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { type Answer, sendEarly } from '../http/reply.ts'
import type { Authenticator } from './authenticate.ts'
import { admitAs, nobody, type Principal } from './principals.ts'

/**
 * Whoever shows no key that is good gets no further, whatever the path: also one that no route has. What is open needs none,
 * and is answered alike with one, good or not.
 */
export function behindKeys(
  { authenticate }: Pick<Authenticator, 'authenticate'>,
  isOpen: (request: IncomingMessage) => boolean,
  serve: RequestListener,
): RequestListener {
  function enter(request: IncomingMessage, response: ServerResponse, found: Principal | Answer): void {
    if ('grant' in found) {
      admitAs(request, found)
      serve(request, response)
    } else sendEarly(response, found)
  }
  return (request, response) => {
    if (isOpen(request)) {
      admitAs(request, nobody)
      return serve(request, response)
    }
    const found = authenticate(request)
    if (!(found instanceof Promise)) return enter(request, response, found)
    void found.then((late) => {
      if (!response.destroyed) enter(request, response, late) // or the client has left meanwhile
    })
  }
}
