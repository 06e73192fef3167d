import { MalformedJson, SekaliError } from '@sekali/core/errors'
import { limits } from '@sekali/core/limits'

class BodyTooLarge extends SekaliError {
  readonly code = 'body_too_large'
  readonly retryable = false
}

/** The client left, or was too slow for the server's patience, while it was sending. */
export class IncompleteBody extends SekaliError {
  readonly code = 'incomplete_body'
  readonly retryable = false
}

const utf8 = new TextDecoder('utf-8', { fatal: true })
const openingBracket = 0x5b

/**
 * The body as text: at most `bodyBytesMax` bytes, or `batchBytesMax` if it begins like an array. It never holds more,
 * whatever the client says about the length. `take` hears of bytes before they are read, and may throw.
 */
export async function readText(request: Request, take: (bytes: number) => void): Promise<string> {
  const bytes = await readBytes(request, take)
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new MalformedJson('the body is not UTF-8', { cause })
  }
}

async function readBytes(request: Request, take: (bytes: number) => void): Promise<Uint8Array> {
  const length = request.headers.get('content-length')
  if (length !== null && Number(length) > limits.batchBytesMax) throw tooLarge(limits.batchBytesMax)
  try {
    if (length === null || Number(length) > limits.bodyBytesMax) return await readChunks(request, take)
    // With a length the HTTP parser itself stops there, and the body can be read the short way. A request with
    // both a length and chunks does not get here: the parser refuses it.
    take(Number(length))
    return new Uint8Array(await request.arrayBuffer())
  } catch (error) {
    throw error instanceof SekaliError ? error : new IncompleteBody('the body broke off', { cause: error })
  }
}

async function readChunks(request: Request, take: (bytes: number) => void): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  let bytesMax: number | undefined
  const announced = Number(request.headers.get('content-length') ?? 0)
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length
    bytesMax ??= limitBy(chunk)
    if (Math.max(bytes, announced) > (bytesMax ?? limits.bodyBytesMax))
      throw tooLarge(bytesMax ?? limits.bodyBytesMax)
    take(chunk.length)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
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
