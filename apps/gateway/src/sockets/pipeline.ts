/** What one connection has under way: the request that is being answered, and those that wait behind it. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Budget, Share } from '../clients/budget.ts'
import { hangUpOn } from './cut.ts'
import type { Seat } from './seats.ts'

export interface Pipeline {
  readonly socket: Socket
  readonly seat: Seat
  /** The request that is being answered. */
  current: Exchange | undefined
  readonly waiting: Exchange[]
  /** Bytes in memory because of the waiting requests, and the room for them. */
  waitingBytes: number
  readonly share: Share
  /** What is still to be written before the connection is closed, when everything else has been answered. */
  lastWords: string | undefined
}

export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** Requests on one connection that wait before it is not read any more. */
const waitingMax = 16
/** What Node makes of a request, beside what its client wrote. */
const exchangeBytes = 4 * 1024
/** About what Node holds of a body that is not read yet. */
const bodyBytesMax = 128 * 1024

/** `budget` bounds the bytes of waiting requests over all connections. */
export function openPipeline(seat: Seat, budget: Budget): Pipeline {
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
  // Node resumes it for a body that is read, or when it drains.
  socket.on('resume', () => {
    if (isFull(pipeline)) socket.pause()
  })
  return pipeline
}

export function closePipeline({ waiting, share }: Pipeline): void {
  waiting.length = 0
  share[Symbol.dispose]()
}

/** Lets a request wait for those before it. If there is no room for it the connection is cut. */
export function wait(pipeline: Pipeline, exchange: Exchange): void {
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

/** Takes out the request that has waited longest; undefined if none is to be begun. */
export function takeWaiting(pipeline: Pipeline): Exchange | undefined {
  const { waiting, socket, share, lastWords } = pipeline
  const exchange = waiting.shift()
  const isBegun = exchange !== undefined && (lastWords === undefined || exchange.request.complete)
  if (!isBegun) return undefined
  pipeline.waitingBytes -= bytesOf(exchange.request)
  share.hold(pipeline.waitingBytes)
  if (!isFull(pipeline)) socket.resume()
  return exchange
}

const isFull = ({ waiting, lastWords }: Pipeline): boolean =>
  waiting.length >= waitingMax || lastWords !== undefined

function bytesOf({ headers, rawHeaders, url = '' }: IncomingMessage): number {
  const isChunked = headers['transfer-encoding'] !== undefined
  const bodyBytes = isChunked ? bodyBytesMax : Math.min(Number(headers['content-length'] ?? 0), bodyBytesMax)
  return rawHeaders.reduce((bytes, text) => bytes + text.length, exchangeBytes + url.length + bodyBytes)
}
