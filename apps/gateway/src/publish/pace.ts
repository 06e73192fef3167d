/** Slows a stream of lines down to what its key may publish in a second, instead of refusing it: TCP passes that on. */
import type { IncomingMessage } from 'node:http'
import { pause } from '@sekali/process/backoff'
import { principalOf } from '../access/principals.ts'
import type { Amount } from '../access/quota.ts'

/** Resolves when so much may go on; at once for nearly everybody. A client that leaves, or whose key ends, waits no longer. */
export async function pace(request: IncomingMessage, amount: Amount): Promise<void> {
  const { quota, life } = principalOf(request)
  const waitSeconds = quota.owe(amount)
  if (waitSeconds <= 0) return
  const left = new AbortController()
  const leave = () => left.abort()
  using _life = life.onEnd(leave)
  request.socket.once('close', leave)
  try {
    await pause(waitSeconds * 1_000, left.signal)
  } finally {
    request.socket.off('close', leave)
  }
}
