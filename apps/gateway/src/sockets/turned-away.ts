/**
 * Connections for which there is no room. Each gets a refusal, in answer to its first request or after a moment, and is
 * then closed. A client that reads why comes again later; one that sees a reset tries again at once.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Answer, closingText, send } from '../http/reply.ts'

export interface TurnedAway {
  add(socket: Socket, answer: Answer): void
  /** Answers a request on such a connection. */
  take(request: IncomingMessage, response: ServerResponse): void
}

/** Connections that may wait for their first request. Others are refused at once, which a client that is sending may miss. */
const waitingMax = 64
/** How long they may wait. */
const waitMs = 1_000

/** `onAnswer` gets the status of each refusal. */
export function createTurnedAway(onAnswer: (status: number) => void): TurnedAway {
  const answers = new Map<Socket, Answer>()
  return {
    add(socket, answer) {
      socket.on('error', () => undefined) // it may have left already
      const refuse = () => {
        onAnswer(answer.status)
        socket.write(closingText(answer))
        socket.destroy()
      }
      if (answers.size >= waitingMax) return refuse()
      answers.set(socket, answer)
      const timer = setTimeout(() => (answers.has(socket) ? refuse() : socket.destroy()), waitMs)
      socket.once('close', () => {
        clearTimeout(timer)
        answers.delete(socket)
      })
    },
    take({ socket }, response) {
      const answer = answers.get(socket)
      if (answer === undefined) return
      answers.delete(socket)
      onAnswer(answer.status)
      send(response, { ...answer, headers: { ...answer.headers, Connection: 'close' } })
    },
  }
}
