import type { Context } from 'hono'
import { principalOf } from '../access/principals.ts'

interface Stay extends Disposable {
  /** Aborted when the client leaves, and when its key is revoked. */
  readonly signal: AbortSignal
}

export function watchStay({ env }: Context): Stay {
  const { incoming: request, outgoing: response } = env
  const left = new AbortController()
  const onLeft = () => left.abort()
  response?.once('close', onLeft)
  const watch = principalOf(request).life.onEnd(onLeft)
  if (response?.destroyed) onLeft()
  return {
    signal: left.signal,
    [Symbol.dispose]() {
      response?.off('close', onLeft)
      watch[Symbol.dispose]()
    },
  }
}
