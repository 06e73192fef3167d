import type { IncomingMessage, RequestListener } from 'node:http'
import { ClientLimit, Overloaded } from '@sekali/core/errors'
import type { Share } from '../clients/budget.ts'
import { refusal } from './problem.ts'
import { type Answer, sendEarly } from './reply.ts'
import { keepBody, smallBodyBytesMax } from './small-bodies.ts'

/** How many bytes of a request's body are kept for its handler; undefined if none are. */
export type WantedBytesMax = (request: IncomingMessage) => number | undefined

/** What a request's body takes of the room that all larger ones have together. */
export type RoomOf = (request: IncomingMessage) => Share

/** The largest body that is read and thrown away. */
const unwantedBytesMax = 64 * 1024

/**
 * The same listener for requests whose body has been read when it is called, so that the connection can be used again. A
 * body that is wanted is kept for the handler; any other is thrown away. One that is too large is refused.
 */
export function withoutBody(
  listener: RequestListener,
  wantedBytesMax: WantedBytesMax = () => undefined,
  roomOf?: RoomOf,
): RequestListener {
  return (request, response) => {
    const { 'content-length': length = '0', 'transfer-encoding': coding } = request.headers
    if (length === '0' && coding === undefined) return listener(request, response)
    const wantedMax = wantedBytesMax(request)
    const bytesMax = wantedMax ?? unwantedBytesMax
    const wanted = wantedMax !== undefined
    const kept: Buffer[] = []
    let bytes = 0
    let room: Share | undefined
    const refuse = (answer: Answer) => {
      request.off('data', onData).off('end', onEnd)
      sendEarly(response, answer)
    }
    /** Small ones fit into memory, however many connections there are. */
    const roomRefusal = (): Answer | undefined => {
      if (!wanted || bytes <= smallBodyBytesMax || roomOf === undefined) return undefined
      if (room === undefined) {
        const share = roomOf(request)
        response.once('close', () => share[Symbol.dispose]())
        room = share
      }
      return refusedBy(room, bytes)
    }
    const onData = (chunk: Buffer) => {
      bytes += chunk.length
      const refused = bytes > bytesMax ? tooLarge(wanted, bytesMax) : roomRefusal()
      if (refused !== undefined) refuse(refused)
      else if (wanted) kept.push(chunk)
    }
    const onEnd = () => {
      if (wanted) keepBody(request, Buffer.concat(kept))
      listener(request, response)
    }
    if (Number(length) > bytesMax) refuse(tooLarge(wanted, bytesMax))
    else request.on('data', onData).on('end', onEnd)
  }
}

const tooLarge = (wanted: boolean, bytesMax: number): Answer =>
  refusal('body_too_large', {
    detail: wanted ? `A body has at most ${bytesMax / 1024} KiB here.` : 'Nothing here takes a body.',
  })

/** The answer if there is no room for so many bytes. */
function refusedBy(room: Share, bytes: number): Answer | undefined {
  try {
    room.hold(bytes)
    return undefined
  } catch (error) {
    if (error instanceof ClientLimit || error instanceof Overloaded) {
      return refusal(error.code, { random: Math.random })
    }
    throw error
  }
}
