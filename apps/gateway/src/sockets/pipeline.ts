/**
 * One request at a time on each connection, in the order in which they came (RFC 9112, 9.3.2).
 *
 * Node begins every request that its parser finds, some 2,400 in one read of the socket, and queues the responses. So a
 * client that sent requests and read nothing had a thousand pages in memory on each connection. Here a request is
 * begun only when the kernel has all of the response before it; what the parser has found beyond that waits.
 *
 * As long as many wait their socket is not read, which slows the client down. What one read has brought all the same is
 * counted in bytes, over all connections and with a share for each peer: a connection for which there is no room is cut.
 * None of what waits has been begun, so nothing of it was done.
 *
 * A connection with last words is not read any more, so the rest of a body would never come: a request that is not
 * whole by then is not begun either. The last words are the answer to it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { createBudget, type Share } from '../clients/budget.ts'
import type { Seat } from './connections.ts'
import { hangUpOn } from './cut.ts'

/** What a connection has under way. */
export interface Pipeline {
  readonly socket: Socket
  readonly seat: Seat
  /** What is being answered. */
  current: Exchange | undefined
  readonly waiting: Exchange[]
  /** What is in memory because of those who wait, and the room for it. */
  waitingBytes: number
  readonly share: Share
  /** What is still to be said before the connection is closed, when everything else has been answered. */
  lastWords: string | undefined
}

export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

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

/** Requests on one connection that wait before it is not read any more. */
const waitingMax = 16
/** Bytes of memory that all who wait may take. */
const waitingBytesMax = 16 * 1024 * 1024
/** What Node makes of a request, beside what its client wrote. */
const exchangeBytes = 4 * 1024
/** Of a body that nobody reads yet Node holds about so much. */
const bodyBytesMax = 128 * 1024

/** `begin` and `end` are called in turns, for one request on a connection at a time. */
export function createPipelines(
  begin: (pipeline: Pipeline, exchange: Exchange) => void,
  end: (pipeline: Pipeline) => void,
): Pipelines {
  // By connection, although a set of responses would be simpler: a set whose members come and go is rehashed all the
  // time, and its old tables, dead but not yet collected, keep what was in them alive. A quarter of everything that
  // was ever allocated survived that way.
  const pipelines = new Map<Socket, Pipeline>()
  const budget = createBudget(waitingBytesMax, 'too many requests wait for those before them')

  function start(pipeline: Pipeline, exchange: Exchange): void {
    pipeline.current = exchange
    exchange.response.on('close', () => next(pipeline))
    begin(pipeline, exchange)
  }

  function wait(pipeline: Pipeline, exchange: Exchange): void {
    const { waiting, socket, share } = pipeline
    waiting.push(exchange)
    pipeline.waitingBytes += bytesOf(exchange.request)
    try {
      share.hold(pipeline.waitingBytes)
    } catch {
      hangUpOn(socket, pipeline.current?.response) // an answer would be taken for one to what came before
    }
    if (isFull(pipeline)) socket.pause()
  }

  /** The response is with the kernel, or with nobody. */
  function next(pipeline: Pipeline): void {
    const { waiting, socket, share, lastWords } = pipeline
    pipeline.current = undefined
    end(pipeline)
    if (socket.destroyed || socket.writableEnded) return // the answer has said that it is the last
    const exchange = waiting.shift()
    const isBegun = exchange !== undefined && (lastWords === undefined || exchange.request.complete)
    if (isBegun) {
      pipeline.waitingBytes -= bytesOf(exchange.request)
      share.hold(pipeline.waitingBytes)
      if (!isFull(pipeline)) socket.resume()
      start(pipeline, exchange)
    } else if (lastWords !== undefined) hangUp(socket, lastWords)
  }

  return {
    all: () => pipelines.values(),
    lastOn(socket) {
      const pipeline = pipelines.get(socket)
      return (pipeline?.waiting.at(-1) ?? pipeline?.current)?.request
    },
    open(seat) {
      const { socket } = seat
      const pipeline: Pipeline = {
        socket,
        seat,
        current: undefined,
        waiting: [],
        waitingBytes: 0,
        share: budget.share(seat.peer),
        lastWords: undefined,
      }
      pipelines.set(socket, pipeline)
      // Node resumes it for a body that is read, or when it drains.
      socket.on('resume', () => {
        if (isFull(pipeline)) socket.pause()
      })
      socket.once('close', () => {
        pipelines.delete(socket)
        pipeline.waiting.length = 0
        pipeline.share[Symbol.dispose]()
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
    fail(socket, words, error) {
      const pipeline = pipelines.get(socket)
      const { request, response } = pipeline?.current ?? {}
      if (pipeline !== undefined && request?.complete) {
        pipeline.lastWords ??= words // what failed first, also if its time runs out later
        socket.pause()
      } else if (response?.headersSent) hangUpOn(socket, response)
      else hangUp(socket, words, error)
    },
  }
}

const isFull = ({ waiting, lastWords }: Pipeline): boolean =>
  waiting.length >= waitingMax || lastWords !== undefined

function hangUp(socket: Socket, words: string, error?: Error): void {
  if (socket.writable) socket.write(words)
  socket.destroy(error)
}

function bytesOf({ headers, rawHeaders, url = '' }: IncomingMessage): number {
  const isChunked = headers['transfer-encoding'] !== undefined
  const bodyBytes = isChunked ? bodyBytesMax : Math.min(Number(headers['content-length'] ?? 0), bodyBytesMax)
  return rawHeaders.reduce((bytes, text) => bytes + text.length, exchangeBytes + url.length + bodyBytes)
}
