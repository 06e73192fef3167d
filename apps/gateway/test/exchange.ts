import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { violationsIn } from '@sekali/testkit/exchange'

/** Sends bytes as they are and resolves with all that comes back until the server hangs up. */
export async function exchange(url: string, ...parts: string[]): Promise<string> {
  const received = await exchangeUnchecked(url, ...parts)
  const violations = violationsIn(parts.join(''), received)
  if (violations.length > 0) throw new Error(violations.join('\n'))
  return received
}

/** The same with a proxy, which also answers by itself, and not as the API is described. */
export async function exchangeUnchecked(url: string, ...parts: string[]): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => undefined) // the server may hang up while we still send
  for (const part of parts) socket.write(part)
  return await text(socket)
}
