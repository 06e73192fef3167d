/**
 * Connections for which there is no room. Each is told so, in answer to its first request or after a moment, and then
 * hung up on: a client that reads why comes again later, one that sees a reset tries again at once.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Answer, closingText, send } from '../http/reply.ts'

export interface TurnedAway {
  add(socket: Socket, answer: Answer): void
  /** Answers a request on such a connection. */
  take(request: IncomingMessage, response: ServerResponse): void
}

/** So many are waited for, and so long. Others are told at once, which a client that is still sending may miss. */
const waitedForMax = 64
const waitMs = 1_000

export function createTurnedAway(): TurnedAway {
  const answers = new Map<Socket, Answer>()
  return {
    add(socket, answer) {
      socket.on('error', () => undefined) // it may have left already
      const tell = () => {
        socket.write(closingText(answer))
        socket.destroy()
      }
      if (answers.size >= waitedForMax) return tell()
      answers.set(socket, answer)
      const timer = setTimeout(() => (answers.has(socket) ? tell() : socket.destroy()), waitMs)
      socket.once('close', () => {
        clearTimeout(timer)
        answers.delete(socket)
      })
    },
    take({ socket }, response) {
      const answer = answers.get(socket)
      if (answer === undefined) return
      answers.delete(socket)
      send(response, { ...answer, headers: { ...answer.headers, Connection: 'close' } })
    },
  }
}
