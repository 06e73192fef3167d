/**
 * Serves HTTP with a limit on everything a client can take its time with.
 *
 * Closing it drains: the port is closed and idle connections with it; requests in flight are answered, with
 * `Connection: close`, so that their clients go elsewhere; what has no answer after `drainMs` is cut off.
 */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { InvalidConfig } from '@sekali/core/errors'
import { admitTo } from './admission.ts'
import { answerClientErrors } from './client-errors.ts'
import { type Connections, createConnections } from './connections.ts'
import { hangUpOn } from './cut.ts'
import type { Pipelines } from './pipelines.ts'
import { watchStalls } from './stalls.ts'

export interface ServerOptions {
  readonly host: string
  readonly port: number
  /** The variables that these two come from. */
  readonly variables?: string
  /** A request's headers, and then its whole body, must have come by then. */
  readonly headersTimeoutMs?: number
  readonly requestTimeoutMs?: number
  /** How often these two are looked at; Node's half a minute would more than double them. */
  readonly checkEveryMs?: number
  /** Longer than the minute that load balancers keep idle connections, so that they hang up first. */
  readonly keepAliveTimeoutMs?: number
  readonly headerBytesMax?: number
  /** A client that takes nothing of its response for so long is cut off. */
  readonly stalledMs?: number
  readonly connections?: Connections
  readonly drainMs?: number
}

export interface HttpServer extends AsyncDisposable {
  readonly url: string
}

/** How many more than are counted Node takes before it closes them without a word: those that are turned away, or closing. */
const spareConnections = 1_024

export async function serveHttp(listener: RequestListener, options: ServerOptions): Promise<HttpServer> {
  const { host, port, connections = createConnections(), drainMs = 10_000 } = options
  const server = createServer({
    headersTimeout: options.headersTimeoutMs ?? 10_000,
    requestTimeout: options.requestTimeoutMs ?? 15_000,
    keepAliveTimeout: options.keepAliveTimeoutMs ?? 65_000,
    maxHeaderSize: options.headerBytesMax ?? 16 * 1024,
    connectionsCheckingInterval: options.checkEveryMs ?? 2_000,
    requireHostHeader: false, // door.ts does: Node would answer out of turn (admission.ts)
  })
  server.maxConnections = connections.max + spareConnections
  const leaving = new AbortController()
  const pipelines = admitTo(server, listener, connections, leaving.signal)
  answerClientErrors(server, pipelines)
  const watching = watchStalls(pipelines.all, options.stalledMs ?? 30_000)
  await listen(server, host, port, options.variables ?? 'HOST and PORT')

  let closed: Promise<void> | undefined
  return {
    url: urlOf(server.address() as AddressInfo),
    [Symbol.asyncDispose]() {
      leaving.abort()
      closed ??= drain(server, pipelines, drainMs).finally(() => watching[Symbol.dispose]())
      return closed
    },
  }
}

async function drain(server: Server, pipelines: Pipelines, drainMs: number): Promise<void> {
  for (const { current } of pipelines.all()) {
    if (current?.response.headersSent === false) current.response.setHeader('Connection', 'close')
  }
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const cut = setTimeout(() => {
    for (const { socket, current } of pipelines.all()) hangUpOn(socket, current?.response)
    server.closeAllConnections()
  }, drainMs)
  await closed
  clearTimeout(cut)
}

function listen(server: Server, host: string, port: number, variables: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = reasons[cause.code ?? ''] ?? 'cannot be listened on'
      reject(new InvalidConfig(`${variables}: ${host}:${port} ${why}`, { cause }))
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
