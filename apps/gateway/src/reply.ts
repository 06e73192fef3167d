import { type ServerResponse, STATUS_CODES } from 'node:http'

/** What a client gets, before it becomes Hono's `Response` or goes out on node:http as it is. */
export interface Answer {
  readonly status: number
  readonly body: string | Uint8Array<ArrayBuffer> | null
  readonly headers: Readonly<Record<string, string>>
}

// One place makes every answer, so that none goes without these. An answer is about this moment: nobody may keep it.
const always = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' } as const
const json = { ...always, 'Content-Type': 'application/json' } as const

export function answer(
  status: number,
  body: Answer['body'],
  headers?: Readonly<Record<string, string>>,
): Answer {
  return { status, body, headers: headers === undefined ? json : { ...always, ...headers } }
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
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(text) })
  response.end(text)
}

/** The bytes of an answer after which the connection is closed, for where there is no response to write it to. */
export function closingText({ status, body, headers }: Answer): string {
  const fields = { ...headers, 'Content-Length': Buffer.byteLength(body ?? ''), Connection: 'close' }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body ?? ''}`
}
