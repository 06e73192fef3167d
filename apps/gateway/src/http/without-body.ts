import type { IncomingMessage, RequestListener } from 'node:http'
import { refusal } from './problem.ts'
import { sendEarly } from './reply.ts'
import { keepBody, smallBodyBytesMax } from './small-bodies.ts'

/** The largest body that is read and thrown away. */
const unwantedBytesMax = 64 * 1024

/**
 * The same listener for requests whose body has been read when it is called, so that the connection can be used again. A
 * small body that is wanted is kept for the handler; any other is thrown away. One that is too large is refused.
 */
export function withoutBody(
  listener: RequestListener,
  isWanted: (request: IncomingMessage) => boolean = () => false,
): RequestListener {
  return (request, response) => {
    const { 'content-length': length = '0', 'transfer-encoding': coding } = request.headers
    if (length === '0' && coding === undefined) return listener(request, response)
    const wanted = isWanted(request)
    const bytesMax = wanted ? smallBodyBytesMax : unwantedBytesMax
    const kept: Buffer[] = []
    let bytes = 0
    const refuse = () => {
      request.off('data', onData).off('end', onEnd)
      const detail = wanted ? `A body has at most ${bytesMax / 1024} KiB here.` : 'Nothing here takes a body.'
      sendEarly(response, refusal('body_too_large', { detail }))
    }
    const onData = (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > bytesMax) refuse()
      else if (wanted) kept.push(chunk)
    }
    const onEnd = () => {
      if (wanted) keepBody(request, Buffer.concat(kept))
      listener(request, response)
    }
    if (Number(length) > bytesMax) refuse()
    else request.on('data', onData).on('end', onEnd)
  }
}
