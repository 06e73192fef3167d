import type { RequestListener } from 'node:http'
import { refusal } from './problem.ts'
import { sendEarly } from './reply.ts'

/** The largest body that is read and thrown away. */
const unwantedBytesMax = 64 * 1024

/**
 * The same listener for requests whose body nobody reads. It is called when the body has been read and thrown away, so
 * that the connection can be used again. A body that is too large for that is refused.
 */
export function withoutBody(listener: RequestListener): RequestListener {
  return (request, response) => {
    const { 'content-length': length = '0', 'transfer-encoding': coding } = request.headers
    if (length === '0' && coding === undefined) return listener(request, response)
    let bytes = 0
    const refuse = () => {
      request.off('data', onData).off('end', onEnd)
      sendEarly(response, refusal('body_too_large', { detail: 'Nothing here takes a body.' }))
    }
    const onData = (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > unwantedBytesMax) refuse()
    }
    const onEnd = () => listener(request, response)
    if (Number(length) > unwantedBytesMax) refuse()
    else request.on('data', onData).on('end', onEnd)
  }
}
