/**
 * Serves HTTP with a limit on everything a client can take its time with.
 *
 * Closing it drains: the port is closed and idle connections with it; requests in flight are answered, with
 * `Connection: close`, so that their clients go elsewhere; what has no answer after `drainMs` is cut off.
 */
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createDoor, type Server as Door } from 'node:net'
import { InvalidConfig } from '@sekali/core/errors'
import { admitTo } from './admission.ts'
import { type Arrivals, createArrivals } from './arrivals.ts'
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
/**
 * Connections that the kernel keeps until they are taken; it allows as many by itself (net.core.somaxconn). Node's 511 are
 * full when a client opens a thousand at once, and whoever comes then is heard only when its kernel asks again: a second later.
 */
const backlog = 4_096

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
  const arrivals = createArrivals(connections.clients, (socket) => {
    socket.setNoDelay(true)
    server.emit('connection', socket)
    socket.resume()
  })
  // Their bytes stay in the kernel until they are served.
  const door = createDoor({ pauseOnConnect: true, allowHalfOpen: true }, arrivals.add)
  door.maxConnections = connections.max + spareConnections
  const leaving = new AbortController()
  const pipelines = admitTo(server, listener, connections, leaving.signal)
  answerClientErrors(server, pipelines)
  const watching = watchStalls(pipelines.all, options.stalledMs ?? 30_000)
  await listen(door, host, port, options.variables ?? 'HOST and PORT')
  server.emit('listening') // from then on Node looks at its time-outs; it is the door that listens

  let closed: Promise<void> | undefined
  return {
    url: urlOf(door.address() as AddressInfo),
    [Symbol.asyncDispose]() {
      leaving.abort()
      closed ??= drain({ door, server, arrivals, pipelines }, drainMs).finally(() =>
        watching[Symbol.dispose](),
      )
      return closed
    },
  }
}

interface Served {
  readonly door: Door
  readonly server: Server
  readonly arrivals: Arrivals
  readonly pipelines: Pipelines
}

async function drain({ door, server, arrivals, pipelines }: Served, drainMs: number): Promise<void> {
  for (const { current } of pipelines.all()) {
    if (current?.response.headersSent === false) current.response.setHeader('Connection', 'close')
  }
  const closed = new Promise<void>((resolve) => door.close(() => resolve()))
  server.close() // closes those that are idle, too
  arrivals.flush()
  const cut = setTimeout(() => {
    for (const { socket, current } of pipelines.all()) hangUpOn(socket, current?.response)
    server.closeAllConnections()
  }, drainMs)
  await closed
  clearTimeout(cut)
}

function listen(server: Door, host: string, port: number, variables: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = reasons[cause.code ?? ''] ?? 'cannot be listened on'
      reject(new InvalidConfig(`${variables}: ${host}:${port} ${why}`, { cause }))
    })
    server.listen({ port, host, backlog }, () => {
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
