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

/**
 * The body as text: at most `bodyBytesMax` bytes, or `batchBytesMax` if it begins like an array. It never holds more,
 * whatever the client says about the length, and no more than `share` grants.
 */
export async function readText(request: IncomingMessage, share: Share): Promise<string> {
  const bytes = await readBytes(request, share)
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new MalformedJson('the body is not UTF-8', { cause })
  }
}

function readBytes(request: IncomingMessage, share: Share): Promise<Uint8Array> {
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
    request.on('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)))
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

/** Whether a body is a batch, if it is JSON. */
export const isArray = (body: string): boolean => /^\s*\[/.test(body)
