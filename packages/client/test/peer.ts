import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Received {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly atMs: number
}

export interface Peer extends AsyncDisposable {
  readonly url: string
  readonly received: Received[]
}

export type Answer = (response: ServerResponse, request: IncomingMessage, body: string) => void

/** A real HTTP server on a free port that gives its answers in turn, the last one for ever. */
export async function startPeer(...answers: [Answer, ...Answer[]]): Promise<Peer> {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const answer = answers[Math.min(received.length, answers.length - 1)] as Answer
    const { method, url, headers } = request
    received.push({ method: String(method), url: String(url), headers, body, atMs: performance.now() })
    answer(response, request, body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}

export function json(status: number, value: unknown, headers: Record<string, string> = {}): Answer {
  return (response) => {
    const type = status < 400 ? 'application/json' : 'application/problem+json'
    response.writeHead(status, { 'content-type': type, ...headers })
    response.end(JSON.stringify(value))
  }
}

/** Sends the head and these pieces of the body, one by one, and then leaves the answer open, ends it, or cuts it. */
export function streams(
  pieces: readonly (string | Uint8Array)[],
  then: 'stay' | 'end' | 'cut',
  type: string,
  headers: Record<string, string> = {},
): Answer {
  return async (response, request) => {
    response.writeHead(200, { 'content-type': type, ...headers }).flushHeaders()
    for (const piece of pieces) {
      await new Promise((resolve) => response.write(piece, resolve))
    }
    if (then === 'end') response.end()
    if (then === 'cut') request.socket.resetAndDestroy()
  }
}

export const resets: Answer = (_response, request) => request.socket.resetAndDestroy()

/** Sends the head and a part of the body, then cuts the connection. */
export const breaksOff: Answer = (response, request) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
  response.write('{"status":', () => request.socket.resetAndDestroy())
}

export const hangs: Answer = () => undefined
