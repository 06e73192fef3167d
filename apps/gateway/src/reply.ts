import type { ServerResponse } from 'node:http'

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

export const toResponse = ({ status, body, headers }: Answer): Response =>
  new Response(body, { status, headers })

export function send(response: ServerResponse, { status, body, headers }: Answer): void {
  const text = body ?? ''
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(text) })
  response.end(text)
}
