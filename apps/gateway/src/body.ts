import type { IncomingMessage } from 'node:http'
import { MalformedJson, SekaliError } from '@sekali/core/errors'
import { limits } from '@sekali/core/limits'
import type { Share } from './budget.ts'

class BodyTooLarge extends SekaliError {
  readonly code = 'body_too_large'
  readonly retryable = false
}

/** The client left, or was too slow for the server's patience, while it was sending. */
export class IncompleteBody extends SekaliError {
  readonly code = 'incomplete_body'
  readonly retryable = false
}

/** What a piece of a body costs beyond its bytes: of a body in chunks of one byte it is nearly everything. */
export const pieceBytes = 128

const utf8 = new TextDecoder('utf-8', { fatal: true })
const openingBracket = 0x5b

/** A body as it came. */
export interface Body {
  readonly bytes: number
  /** The body as text. Only once: what came is forgotten then. Throws MalformedJson. */
  toText(): string
}

/**
 * The body: at most `bodyBytesMax` bytes, or `batchBytesMax` if it begins like an array. It never holds more, whatever
 * the client says about the length, and no more than `share` grants.
 */
export async function readBody(request: IncomingMessage, share: Share): Promise<Body> {
  const pieces = await readPieces(request, share)
  return {
    bytes: pieces.reduce((sum, { length }) => sum + length, 0),
    toText() {
      const all = pieces.splice(0)
      try {
        return utf8.decode(all.length === 1 ? all[0] : Buffer.concat(all))
      } catch (cause) {
        throw new MalformedJson('the body is not UTF-8', { cause })
      }
    },
  }
}

function readPieces(request: IncomingMessage, share: Share): Promise<Buffer[]> {
  const announced = Number(request.headers['content-length'] ?? 0)
  if (announced > limits.batchBytesMax) throw tooLarge(limits.batchBytesMax)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    let bytesMax: number | undefined
    const onData = (chunk: Buffer) => {
      try {
        bytes += chunk.length
        bytesMax ??= limitBy(chunk)
        const most = bytesMax ?? limits.bodyBytesMax
        if (bytes > most || announced > most) throw tooLarge(most)
        share.hold(bytes + chunks.length * pieceBytes)
        chunks.push(chunk)
      } catch (error) {
        request.off('data', onData)
        reject(error)
      }
    }
    request.on('data', onData)
    request.on('end', () => resolve(chunks))
    request.on('close', () => {
      if (!request.readableEnded) reject(new IncompleteBody('the body broke off'))
    })
  })
}

/** Only a batch may be large, and only an array is a batch; `undefined` as long as there is nothing but white space. */
function limitBy(chunk: Uint8Array): number | undefined {
  const first = chunk.find((byte) => byte > 0x20)
  if (first === undefined) return undefined
  return first === openingBracket ? limits.batchBytesMax : limits.bodyBytesMax
}

function tooLarge(bytesMax: number): BodyTooLarge {
  return new BodyTooLarge(`the body is larger than ${bytesMax} bytes`)
}

/** Reads on for nobody, so that the client hears the answer it got before its end; then hangs up on it. */
export function discardRest(request: IncomingMessage, patienceMs = 500): void {
  if (request.complete) return
  request.resume()
  const hangUp = setTimeout(() => request.socket.destroySoon(), patienceMs).unref()
  request.once('close', () => clearTimeout(hangUp))
}
