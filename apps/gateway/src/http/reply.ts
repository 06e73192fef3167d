import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import { lastRequestIdOf, newRequestId, requestIdHeader } from './request-id.ts'

/** What a client gets, before it becomes Hono's `Response` or goes out on node:http as it is. */
export interface Answer {
  readonly status: number
  readonly body: string | Uint8Array<ArrayBuffer> | null
  readonly headers: Readonly<Record<string, string>>
}

// This file makes every answer, so that none goes without these. An answer is about this moment: nobody may keep it.
const always = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' } as const
const json = { ...always, 'Content-Type': 'application/json' } as const

/** Text is JSON, and gets the end of a line: in a terminal the prompt would stand behind it otherwise. */
export function answer(
  status: number,
  body: Answer['body'],
  headers?: Readonly<Record<string, string>>,
): Answer {
  return {
    status,
    body: typeof body === 'string' ? `${body}\n` : body,
    headers: headers === undefined ? json : { ...always, ...headers },
  }
}

export const reply = (...args: Parameters<typeof answer>): Response => toResponse(answer(...args))

const bodyBytes = new WeakMap<Response, number>()

export function toResponse({ status, body, headers }: Answer): Response {
  const response = new Response(body, { status, headers })
  bodyBytes.set(response, Buffer.byteLength(body ?? ''))
  return response
}

/** What the body of an answer takes; undefined for one that is streamed. */
export const bodyBytesOf = (response: Response): number | undefined => bodyBytes.get(response)

export function send(response: ServerResponse, { status, body, headers }: Answer): void {
  const text = body ?? ''
  response.writeHead(status, {
    ...headers,
    'Content-Length': Buffer.byteLength(text),
    [requestIdHeader]: lastRequestIdOf(response.req),
  })
  response.end(text)
}

/** How long a client that has its answer before its request's end may go on sending, so that it reads the answer. */
export const lingerMs = 500

/**
 * The same for an answer that may come before the request's end. Then no other request can follow on the connection: the
 * answer announces that it is closed. Not at once, because a client that is still sending would see a reset and no answer.
 */
export function sendEarly(response: ServerResponse, answer: Answer): void {
  if (response.req.complete) send(response, answer)
  // The parser may have all of it: what came with the head it reads after the head.
  else setImmediate(() => (response.req.complete ? send(response, answer) : sendLast(response, answer)))
}

function sendLast(response: ServerResponse, answer: Answer): void {
  const { req: request } = response
  const text = answer.body ?? ''
  const headers = {
    ...answer.headers,
    'Content-Length': Buffer.byteLength(text),
    [requestIdHeader]: lastRequestIdOf(request),
    Connection: 'close',
  }
  response.writeHead(answer.status, headers).flushHeaders()
  response.write(text)
  const end = () => {
    clearTimeout(lingering)
    response.end()
  }
  const lingering = setTimeout(end, lingerMs).unref()
  request.once('end', end).once('close', end).resume()
}

/**
 * The bytes of an answer after which the connection is closed, for where there is no response to write it to. `request` is
 * the one that it answers, if it is one.
 */
export function closingText({ status, body, headers }: Answer, request?: IncomingMessage): string {
  const fields = {
    ...headers,
    'Content-Length': Buffer.byteLength(body ?? ''),
    [requestIdHeader]: request === undefined ? newRequestId() : lastRequestIdOf(request),
    Connection: 'close',
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body ?? ''}`
}
