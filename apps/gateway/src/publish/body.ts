import type { IncomingMessage } from 'node:http'
import { NotUtf8, SekaliError } from '@sekali/core/errors'
import { limits } from '@sekali/core/limits'
import { pieceBytes } from '@sekali/core/lines'
import { decodeUtf8, utf8Rule, withoutMark } from '@sekali/core/utf8'
import type { Share } from '../clients/budget.ts'

class BodyTooLarge extends SekaliError {
  readonly code = 'body_too_large'
  readonly retryable = false
}

/** The client left while it was sending. */
export class IncompleteBody extends SekaliError {
  readonly code = 'incomplete_body'
  readonly retryable = false
}

const openingBracket = 0x5b
const markBytes = [0xef, 0xbb, 0xbf]

/** A body as it came. */
export interface Body {
  readonly bytes: number
  /** The body as text, without a byte order mark. Only once: what came is forgotten then. Throws NotUtf8. */
  toText(): string
}

/**
 * The body: at most `bodyBytesMax` bytes, or `batchBytesMax` if it begins like an array. It never holds more, whatever
 * length the client announces, and no more than `share` grants and `requireRoom` lets through.
 */
export async function readBody(
  request: IncomingMessage,
  share: Share,
  requireRoom: (bytes: number) => void = () => undefined,
): Promise<Body> {
  const pieces = await readPieces(request, share, requireRoom)
  let isRead = false
  return {
    bytes: pieces.reduce((sum, { length }) => sum + length, 0),
    toText() {
      if (isRead) throw new Error('the body was read before')
      isRead = true
      const all = pieces.splice(0) // the request's listeners hold the array as long as the request is there
      const [first = Buffer.alloc(0)] = all
      const whole = all.length <= 1 ? first : Buffer.concat(all)
      const text = decodeUtf8(whole)
      if (text === undefined) throw new NotUtf8(`the body ${utf8Rule(whole)}`)
      return withoutMark(text)
    },
  }
}

function readPieces(
  request: IncomingMessage,
  share: Share,
  requireRoom: (bytes: number) => void,
): Promise<Buffer[]> {
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
        requireRoom(bytes)
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

/**
 * The limit of a body that begins with this chunk: only an array is a batch, and only a batch may be large. `undefined`
 * for nothing but white space, or (parts of) a byte order mark.
 */
function limitBy(chunk: Uint8Array): number | undefined {
  const first = chunk.find((byte) => byte > 0x20 && !markBytes.includes(byte))
  if (first === undefined) return undefined
  return first === openingBracket ? limits.batchBytesMax : limits.bodyBytesMax
}

function tooLarge(bytesMax: number): BodyTooLarge {
  return new BodyTooLarge(`the body is larger than ${bytesMax} bytes`)
}
