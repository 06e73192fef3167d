/** A server of which a test says how it answers, and clients as sockets. */
import { once } from 'node:events'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { eventually } from '@sekali/testkit/eventually'
import { expect } from 'vitest'
import { createConnections } from '../src/sockets/connections.ts'
import { type ServerOptions, serveHttp } from '../src/sockets/server.ts'

export const megabyte = 1024 * 1024
export const get = (path = '/', fields = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A server whose requests stay under way unless `answer` answers them. */
export async function serve(answer: Answer = () => {}, options: Partial<ServerOptions> = {}) {
  const stack = new AsyncDisposableStack()
  const begun: string[] = []
  const listener: RequestListener = (request, response) => {
    begun.push(request.url ?? '')
    answer(request, response)
  }
  const server = await serveHttp(listener, { host: '127.0.0.1', port: 0, drainMs: 0, ...options })
  stack.use(server)
  const open = async (from = '127.0.0.1', sent = ''): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(server.url).port), localAddress: from })
    stack.defer(() => void socket.destroy())
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    if (sent !== '') socket.write(sent)
    return socket
  }
  return {
    url: server.url,
    begun,
    open,
    /** Sends requests and resolves with all that comes back. */
    ask: async (from: string, sent: string) => await text(await open(from, sent)),
    /** Resolves once so many requests have been begun. */
    hasBegun: (count: number) => eventually(() => expect(begun.length).toBe(count)),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

export const closing = 'Connection: close\r\n'
export const room = (ordinaryMax: number) => ({ connections: createConnections({ ordinaryMax }) })
export const done: Answer = (_, response) => void response.end('done')
export const holdOrDone: Answer = (request, response) => request.url === '/held' || done(request, response)
