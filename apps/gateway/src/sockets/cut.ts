import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Cuts the connection of an answer that is not whole: by a reset (RST), never by an end (FIN). In HTTP/1.0 the end of the
 * connection is the end of the answer, and nginx speaks that to its upstreams by default: clients took a third of a
 * replay for all of it.
 */
export function cut(response: ServerResponse): void {
  response.socket?.resetAndDestroy()
  response.destroy()
}

/** Hangs up on a connection: by a reset if its current answer has begun, which may not be whole then. */
export function hangUpOn(socket: Socket, response: ServerResponse | undefined, error?: Error): void {
  if (response?.headersSent) socket.resetAndDestroy()
  else socket.destroy(error)
}
