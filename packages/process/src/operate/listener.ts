/**
 * A port for whatever watches a process: /healthz and /readyz, and what else is in the list of routes. It is small on
 * purpose. Only GET, HEAD and, where a route says so, OPTIONS; no bodies; every answer comes within its time or says that it
 * did not; a caller that is slow, or one of a crowd, is hung up on. Any Host will do: a load balancer names an address or
 * none at all, and nothing here changes anything.
 *
 * The gateway's port for the same is apps/gateway/src/operate/probes.ts, because it serves its own routes.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { withDeadline } from '@sekali/core/deadline'
import { InvalidConfig } from '@sekali/core/errors'
import type { Logger } from '../start/log.ts'

export interface Answer {
  readonly status: number
  readonly body: string
  /** JSON unless given. */
  readonly type?: string
}

export interface ListenerRoute {
  /** A literal path, such as /healthz. */
  readonly path: string
  readonly answer: () => Answer | Promise<Answer>
  /** For checkers that ask with OPTIONS and take any 2xx for a yes. */
  readonly answersOptions?: true
}

export interface ListenerOptions {
  readonly host: string
  /** 0 is any free port. */
  readonly port: number
  /** The variables that these two come from. */
  readonly variables: string
  /** Within so many milliseconds a route answers, or 503 is the answer. */
  readonly answerMs?: number
}

export interface Listener extends AsyncDisposable {
  readonly url: string
}

/** Less than the two seconds that many checkers wait. */
const answerMsMax = 1_500
const requestMs = 2_000
const keepAliveMs = 15_000
const headerBytesMax = 8 * 1024
/** More than a few connect at a time only by mistake. The one that has been there longest then gives way. */
const connectionsMax = 32

/** Listens. Rejects with {@link InvalidConfig} when it cannot. Disposing hangs up on all. */
export async function serveRoutes(
  routes: readonly ListenerRoute[],
  { host, port, variables, answerMs = answerMsMax }: ListenerOptions,
  log: Logger,
): Promise<Listener> {
  const server = createServer({
    headersTimeout: requestMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: requestMs / 2,
    keepAliveTimeout: keepAliveMs,
    maxHeaderSize: headerBytesMax,
    requireHostHeader: false,
  })
  const byPath = new Map(routes.map((route) => [route.path, route]))
  server.on('request', (request, response) => void respond(byPath, request, response, answerMs, log))
  server.on('connection', boundConnections())
  await new Promise<void>((resolve, reject) => {
    server.once('error', ({ code }: NodeJS.ErrnoException) => {
      const why = reasons[code ?? ''] ?? 'cannot be listened on'
      reject(new InvalidConfig(`${variables}: ${host}:${port} ${why}`))
    })
    server.listen({ host, port }, resolve)
  })
  let closed: Promise<void> | undefined
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { url: urlOf(server.address() as AddressInfo), [Symbol.asyncDispose]: () => (closed ??= close()) }
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken by another process',
  EACCES: 'is not allowed to this user',
  EADDRNOTAVAIL: 'is not an address of this machine',
  ENOTFOUND: 'is not an address',
}

const urlOf = ({ address, family, port }: AddressInfo): string =>
  `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`

function boundConnections(): (socket: Socket) => void {
  const open = new Set<Socket>()
  return (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    const [oldest] = open
    if (open.size > connectionsMax) oldest?.destroy()
  }
}

async function respond(
  routes: ReadonlyMap<string, ListenerRoute>,
  request: IncomingMessage,
  response: ServerResponse,
  answerMs: number,
  log: Logger,
): Promise<void> {
  const { method = '' } = request
  // Nobody reads a body here. Whoever sends one is answered, and hung up on.
  const { 'content-length': length = '0', 'transfer-encoding': coding } = request.headers
  if (length !== '0' || coding !== undefined) response.setHeader('Connection', 'close')
  const path = request.url === '*' ? '/' : (request.url ?? '').replace(/\?.*/s, '')
  const route = routes.get(path)
  if (route === undefined) return send(response, refusal(404, 'not_found'))
  const methods = ['GET', 'HEAD', ...(route.answersOptions ? ['OPTIONS'] : [])]
  response.setHeader('Allow', methods.join(', '))
  if (!methods.includes(method)) return send(response, refusal(405, 'method_not_allowed'))
  const answer = (async () => await route.answer())().catch((error: unknown) => {
    log.error({ err: error, path }, 'request failed')
    return refusal(500, 'internal_error')
  })
  send(response, await withDeadline(answer, answerMs, () => refusal(503, 'timeout')))
}

/** As the gateway refuses (RFC 9457), without what only its clients need. */
const refusal = (status: number, code: string): Answer => ({
  status,
  body: JSON.stringify({ type: 'about:blank', status, code }),
  type: 'application/problem+json',
})

function send(response: ServerResponse, { status, body, type = 'application/json' }: Answer): void {
  const text = `${body}\n`
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  })
  response.end(text)
}
