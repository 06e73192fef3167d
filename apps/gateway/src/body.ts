import { MalformedJson, SekaliError } from '@sekali/core/errors'

class BodyTooLarge extends SekaliError {
  readonly code = 'body_too_large'
  readonly retryable = false
}

/** The client left, or was too slow for the server's patience, while it was sending. */
class IncompleteBody extends SekaliError {
  readonly code = 'incomplete_body'
  readonly retryable = false
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The body as text. It never holds more than `bytesMax` bytes, whatever the client says about the length. */
export async function readText(request: Request, bytesMax: number): Promise<string> {
  const bytes = await readBytes(request, bytesMax)
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new MalformedJson('the body is not UTF-8', { cause })
  }
}

async function readBytes(request: Request, bytesMax: number): Promise<Uint8Array> {
  const length = request.headers.get('content-length')
  if (length !== null && Number(length) > bytesMax) throw tooLarge(bytesMax)
  try {
    // With a length the HTTP parser itself stops there, and the body can be read the short way. A request with
    // both a length and chunks does not get here: the parser refuses it.
    return length === null ? await readChunks(request, bytesMax) : new Uint8Array(await request.arrayBuffer())
  } catch (error) {
    throw error instanceof SekaliError ? error : new IncompleteBody('the body broke off', { cause: error })
  }
}

async function readChunks(request: Request, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length
    if (bytes > bytesMax) throw tooLarge(bytesMax)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function tooLarge(bytesMax: number): BodyTooLarge {
  return new BodyTooLarge(`the body is larger than ${bytesMax} bytes`)
}
