/**
 * Serves HTTP with a limit on everything a client can take its time with.
 *
 * Closing it drains: the port is closed and idle connections with it; requests in flight are answered, with
 * `Connection: close`, so that their clients go elsewhere; what has no answer after `drainMs` is cut off.
 */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { admitTo } from './admission.ts'
import { type Arrivals, createArrivals } from './arrivals.ts'
import { answerClientErrors } from './client-errors.ts'
import { type Connections, createConnections } from './connections.ts'
import { hangUpOn } from './cut.ts'
import { type Doors, openDoors } from './doors.ts'
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
  /** Gets the status of each answer. */
  readonly onAnswer?: (status: number) => void
}

export interface HttpServer extends AsyncDisposable {
  readonly url: string
}

/** How many more than are counted are taken before they are closed without a word: those that wait, are turned away, or closing. */
const spareConnections = 1_024

export async function serveHttp(listener: RequestListener, options: ServerOptions): Promise<HttpServer> {
  const { host, port, variables = 'HOST and PORT' } = options
  const { connections = createConnections(), drainMs = 10_000, onAnswer = () => undefined } = options
  const server = createServer({
    headersTimeout: options.headersTimeoutMs ?? 10_000,
    requestTimeout: options.requestTimeoutMs ?? 15_000,
    keepAliveTimeout: options.keepAliveTimeoutMs ?? 65_000,
    maxHeaderSize: options.headerBytesMax ?? 16 * 1024,
    connectionsCheckingInterval: options.checkEveryMs ?? 2_000,
    requireHostHeader: false, // door.ts does: Node would answer out of turn (admission.ts)
  })
  const arrivals = createArrivals(connections.clients, connections.max + spareConnections, (socket) => {
    socket.setNoDelay(true)
    server.emit('connection', socket)
    socket.resume()
  })
  const leaving = new AbortController()
  const pipelines = admitTo(server, listener, connections, leaving.signal, onAnswer)
  answerClientErrors(server, pipelines, onAnswer)
  const watching = watchStalls(pipelines.all, options.stalledMs ?? 30_000)
  const doors = await openDoors({ host, port, variables }, arrivals.add)
  server.emit('listening') // from then on Node looks at its time-outs; it is the doors that listen

  let closed: Promise<void> | undefined
  return {
    url: urlOf(doors.address),
    [Symbol.asyncDispose]() {
      leaving.abort()
      closed ??= drain({ doors, server, arrivals, pipelines }, drainMs).finally(() =>
        watching[Symbol.dispose](),
      )
      return closed
    },
  }
}

interface Served {
  readonly doors: Doors
  readonly server: Server
  readonly arrivals: Arrivals
  readonly pipelines: Pipelines
}

async function drain({ doors, server, arrivals, pipelines }: Served, drainMs: number): Promise<void> {
  for (const { current } of pipelines.all()) {
    if (current?.response.headersSent === false) current.response.setHeader('Connection', 'close')
  }
  const closed = doors.close()
  server.close() // closes those that are idle, too
  arrivals.flush()
  const cut = setTimeout(() => {
    for (const { socket, current } of pipelines.all()) hangUpOn(socket, current?.response)
    server.closeAllConnections()
  }, drainMs)
  await closed
  clearTimeout(cut)
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}
