/** Answers with a problem where Node's parser would refuse by itself, or close without an answer. */
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { mediaType } from '../http/media.ts'
import { refusal } from '../http/problem.ts'
import { type Answer, closingText } from '../http/reply.ts'
import type { Pipelines } from './pipelines.ts'

interface ClientError extends NodeJS.ErrnoException {
  /** What the parser was given when it failed. */
  readonly rawPacket?: Buffer
}

/**
 * Answers what the parser refuses. Node would do so by itself, but not with a problem, and before the requests that came
 * first are answered. A stream of lines has no time limit here: it has limits of its own (see lines.ts). `onAnswer` gets the
 * status of each answer.
 */
export function answerClientErrors(
  server: Server,
  pipelines: Pipelines,
  onAnswer: (status: number) => void,
): void {
  const fail = (socket: Socket, answer: Answer, request?: IncomingMessage, error?: Error) => {
    onAnswer(answer.status)
    pipelines.fail(socket, closingText(answer, request), error)
  }
  server.on('clientError', (error: ClientError, socket) => {
    const request = pipelines.lastOn(socket as Socket)
    const isStream = mediaType(request?.headers['content-type']) === 'application/x-ndjson'
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && isStream && !request?.complete) return
    // Of one that is complete this is not the answer: what failed came behind it.
    const failed = request?.complete === false ? request : undefined
    fail(socket as Socket, refusalOfClient(error), failed, error)
  })
  // Without a listener Node closes the connection. With one it leaves the connection alone, so its errors need a listener too.
  server.on('connect', (request, socket) => {
    socket.on('error', () => undefined)
    fail(socket as Socket, noProxy, request)
  })
}

const noProxy = refusal('method_not_allowed', {
  detail: 'Nothing here is a proxy, so there is no CONNECT.',
  headers: { Allow: 'GET, HEAD, POST, PUT, DELETE, OPTIONS' },
})

const tlsHandshake = 0x16

function refusalOfClient({ code = '', rawPacket }: ClientError): Answer {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return refusal('request_timeout')
    case 'HPE_HEADER_OVERFLOW':
      return refusal('headers_too_large')
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return refusal('body_too_large', { detail: 'The chunks have extensions of more than 16 KiB.' })
    default: {
      const detail = rawPacket?.[0] === tlsHandshake ? noTls : details[code]
      return refusal('bad_request', detail === undefined ? {} : { detail })
    }
  }
}

const noTls = 'This port speaks HTTP/1.1 without TLS: begin the URL with http://.'
const badLength = 'Content-Length must be one number, and must not stand beside Transfer-Encoding.'
const badHeader =
  'A header must be written as name: value, on one line, without a blank in its name or a control character.'
const badLineEnd = 'Each line of the head, and of the chunks, must end in CR LF.'
const badVersion = 'The first line must end in HTTP/1.1 and CR LF.'

/** By the parser's codes, because its messages (`reason`) are about its states. */
const details: Readonly<Record<string, string>> = {
  HPE_CR_EXPECTED: badLineEnd,
  HPE_INVALID_CHUNK_SIZE: 'A chunk must begin with its size, in hexadecimal digits.',
  HPE_INVALID_CONSTANT: badVersion,
  HPE_INVALID_CONTENT_LENGTH: badLength,
  HPE_INVALID_EOF_STATE: 'The connection ended before the request did.',
  HPE_INVALID_HEADER_TOKEN: badHeader,
  HPE_INVALID_METHOD: 'A request must begin with a method such as GET or POST, in capital letters.',
  HPE_INVALID_TRANSFER_ENCODING:
    'Transfer-Encoding must be chunked, and must not stand beside Content-Length.',
  HPE_INVALID_URL:
    'The request target must begin with / and have neither blanks nor control characters, and no character beyond ASCII: encode them, as in %20.',
  HPE_INVALID_VERSION: badVersion,
  HPE_LF_EXPECTED: badLineEnd,
  HPE_PAUSED_H2_UPGRADE: 'This port speaks HTTP/1.1, and not HTTP/2.',
  HPE_STRICT: 'A chunk must be as long as its size says, and end in CR LF.',
  HPE_UNEXPECTED_CONTENT_LENGTH: badLength,
  HPE_UNEXPECTED_SPACE: badHeader,
}
