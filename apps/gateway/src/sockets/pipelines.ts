/**
 * One request at a time on each connection, in the order in which they came (RFC 9112, 9.3.2).
 *
 * Node begins every request that its parser finds, some 2,400 in one read of the socket, and queues the responses. So a
 * client that sent requests and read nothing had a thousand pages in memory on each connection. Here a request is
 * begun only when the kernel has all of the response before it; what the parser has found beyond that waits.
 *
 * A socket with many waiting requests is not read, which slows its client down. What one read has brought all the same is
 * counted in bytes, over all connections and with a share for each peer. A connection for which there is no room is cut:
 * none of its waiting requests has been begun, so nothing of them was done.
 *
 * A connection with last words is not read any more, so the rest of a body would never come: a request that is not
 * whole by then is not begun either. The last words answer it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { createBudget } from '../clients/budget.ts'
import { lingerMs } from '../http/reply.ts'
import { hangUpOn } from './cut.ts'
import { closePipeline, type Exchange, openPipeline, type Pipeline, takeWaiting, wait } from './pipeline.ts'
import type { Seat } from './seats.ts'

export interface Pipelines {
  /** Those of all open connections. */
  all(): Iterable<Pipeline>
  open(seat: Seat): void
  /** Begins a request, or lets it wait. False if it is of a connection that was not opened. */
  take(request: IncomingMessage, response: ServerResponse): boolean
  /** The last that has come on a connection and is not answered. */
  lastOn(socket: Socket): IncomingMessage | undefined
  /** Hangs up with these words, but not before what has come whole is answered. */
  fail(socket: Socket, words: string, error?: Error): void
}

/** Bytes of memory that all waiting requests may take. */
const waitingBytesMax = 16 * 1024 * 1024

/** `begin` and `end` alternate: each connection has one request at a time. */
export function createPipelines(
  begin: (pipeline: Pipeline, exchange: Exchange) => void,
  end: (pipeline: Pipeline, exchange: Exchange) => void,
): Pipelines {
  // By connection, although a set of responses would be simpler: a set whose members come and go is rehashed all the
  // time, and its old tables, dead but not yet collected, keep what was in them alive. A quarter of everything that
  // was ever allocated survived that way.
  const pipelines = new Map<Socket, Pipeline>()
  const budget = createBudget(waitingBytesMax, 'too many requests wait for those before them')

  function start(pipeline: Pipeline, exchange: Exchange): void {
    pipeline.current = exchange
    exchange.response.on('close', () => next(pipeline, exchange))
    begin(pipeline, exchange)
  }

  /** The kernel has all of the response, or the client is gone. */
  function next(pipeline: Pipeline, ended: Exchange): void {
    const { socket, lastWords } = pipeline
    pipeline.current = undefined
    end(pipeline, ended)
    if (socket.destroyed || socket.writableEnded) return // the answer has announced that it is the last
    const exchange = takeWaiting(pipeline)
    if (exchange !== undefined) start(pipeline, exchange)
    else if (lastWords !== undefined) hangUp(socket, lastWords)
  }

  return {
    all: () => pipelines.values(),
    lastOn(socket) {
      const pipeline = pipelines.get(socket)
      return (pipeline?.waiting.at(-1) ?? pipeline?.current)?.request
    },
    open(seat) {
      const pipeline = openPipeline(seat, budget)
      pipelines.set(seat.socket, pipeline)
      // Node closes like this behind the last answer.
      seat.socket.destroySoon = () => {
        seat.socket.end()
        linger(seat.socket)
      }
      seat.socket.once('close', () => {
        pipelines.delete(seat.socket)
        closePipeline(pipeline)
      })
    },
    take(request, response) {
      const { socket } = request
      const pipeline = pipelines.get(socket)
      if (pipeline === undefined) return false
      if (socket.destroyed) return true // it was cut while the parser was still at it
      if (pipeline.current === undefined) start(pipeline, { request, response })
      else wait(pipeline, { request, response })
      return true
    },
    fail: (socket, words, error) => fail(pipelines.get(socket), socket, words, error),
  }
}

function fail(pipeline: Pipeline | undefined, socket: Socket, words: string, error?: Error): void {
  const { request, response } = pipeline?.current ?? {}
  if (pipeline !== undefined && request?.complete) {
    pipeline.lastWords ??= words // what failed first, also if its time runs out later
    socket.pause()
  } else if (response?.headersSent) hangUpOn(socket, response)
  else hangUp(socket, words, error)
}

function hangUp(socket: Socket, words: string, error?: Error): void {
  if (socket.writableEnded) return // its last words are said, and the parser still finds fault with the rest
  if (!socket.writable) return void socket.destroy(error)
  socket.end(words)
  linger(socket, error)
}

/**
 * Reads what still comes on a connection that has ended on our side, and closes it when the client has, or soon. Closed at
 * once, what the client has sent and nobody has read would make it a reset, and what it has not got yet be lost
 * (RFC 9112, 9.6).
 */
function linger(socket: Socket, error?: Error): void {
  const lingering = setTimeout(() => socket.destroy(error), lingerMs).unref()
  socket.once('close', () => clearTimeout(lingering)).resume()
}
