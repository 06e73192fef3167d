/**
 * Serves HTTP with a limit on everything a client can take its time with.
 *
 * Closing it drains: the port is closed and idle connections with it; requests in flight are answered, with
 * `Connection: close`, so that their clients go elsewhere; what has no answer after `drainMs` is cut off.
 */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { InvalidConfig } from '@sekali/core/errors'
import { type Connections, createConnections } from './connections.ts'

export interface ServerOptions {
  readonly host: string
  readonly port: number
  /** A request's headers, and then its whole body, must have come by then. */
  readonly headersTimeoutMs?: number
  readonly requestTimeoutMs?: number
  /** How often these two are looked at; Node's half a minute would more than double them. */
  readonly checkEveryMs?: number
  /** Longer than the minute that load balancers keep idle connections, so that they hang up first. */
  readonly keepAliveTimeoutMs?: number
  readonly headerBytesMax?: number
  readonly connections?: Connections
  readonly drainMs?: number
}

export interface HttpServer extends AsyncDisposable {
  readonly url: string
}

export async function serveHttp(listener: RequestListener, options: ServerOptions): Promise<HttpServer> {
  const { host, port, connections = createConnections(), drainMs = 10_000 } = options
  const server = createServer(
    {
      headersTimeout: options.headersTimeoutMs ?? 10_000,
      requestTimeout: options.requestTimeoutMs ?? 15_000,
      keepAliveTimeout: options.keepAliveTimeoutMs ?? 65_000,
      maxHeaderSize: options.headerBytesMax ?? 16 * 1024,
      connectionsCheckingInterval: options.checkEveryMs ?? 2_000,
      requireHostHeader: false, // door.ts requires it, with a problem for an answer
    },
    listener,
  )
  server.maxConnections = connections.max
  server.on('connection', (socket: Duplex) => {
    if (!connections.admit(socket)) socket.destroy()
  })
  const close = drainable(server, drainMs)
  answerClientErrors(server)
  await listen(server, host, port)

  let closed: Promise<void> | undefined
  return {
    url: urlOf(server.address() as AddressInfo),
    [Symbol.asyncDispose]() {
      closed ??= close()
      return closed
    },
  }
}

function drainable(server: Server, drainMs: number): () => Promise<void> {
  // By connection, although a set of responses would be simpler: a set whose members come and go is rehashed all the
  // time, and its old tables, dead but not yet collected, keep what was in them alive. A quarter of everything that
  // was ever allocated survived that way.
  const inFlight = new Map<Socket, ServerResponse | undefined>()
  let draining = false
  server.on('connection', (socket: Socket) => {
    inFlight.set(socket, undefined)
    socket.once('close', () => inFlight.delete(socket))
  })
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    if (draining) response.setHeader('Connection', 'close')
    inFlight.set(socket, response)
    response.once('close', () => {
      if (inFlight.get(socket) === response) inFlight.set(socket, undefined)
    })
  })

  return async () => {
    draining = true
    for (const response of inFlight.values()) {
      if (response?.headersSent === false) response.setHeader('Connection', 'close')
    }
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeIdleConnections()
    const cut = setTimeout(() => server.closeAllConnections(), drainMs)
    await closed
    clearTimeout(cut)
  }
}

const clientErrors: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Content Too Large',
}

/**
 * Answers what the parser refuses, as Node does by itself, but for one thing: a stream of lines may take as long as
 * it likes. It has limits of its own (see lines.ts).
 */
function answerClientErrors(server: Server): void {
  const streaming = new WeakSet<Duplex>()
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    if (!request.headers['content-type']?.startsWith('application/x-ndjson')) return
    streaming.add(request.socket)
    response.once('close', () => streaming.delete(request.socket))
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && streaming.has(socket)) return
    const status = clientErrors[error.code ?? ''] ?? '400 Bad Request'
    if (socket.writable) socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`)
    socket.destroy(error)
  })
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = reasons[cause.code ?? ''] ?? 'cannot be listened on'
      reject(new InvalidConfig(`HOST and PORT: ${host}:${port} ${why}`, { cause }))
    })
    server.listen(port, host, () => {
      server.removeAllListeners('error')
      resolve()
    })
  })
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken by another process',
  EACCES: 'is not allowed to this user',
  EADDRNOTAVAIL: 'is not an address of this machine',
  ENOTFOUND: 'is not an address',
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}
