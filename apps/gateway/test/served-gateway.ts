import { type ServerOptions, serveHttp } from '../src/sockets/server.ts'
import { createGateway, type Gateway, type OwnGatewayOptions } from './gateway.ts'

export const anyPort = { host: '127.0.0.1', port: 0 } as const

export interface ServedGateway extends Gateway {
  readonly url: string
  /** How many requests have come. */
  readonly arrived: () => number
}

/** A gateway that this process serves over HTTP. It leaves at the end of the scope. */
export async function serveGateway(
  parts: OwnGatewayOptions,
  options: Partial<ServerOptions> = {},
): Promise<ServedGateway> {
  const gateway = createGateway(parts)
  const { connections, onAnswer } = gateway
  let arrived = 0
  const listener: Gateway['listener'] = (incoming, outgoing) => {
    arrived += 1
    gateway.listener(incoming, outgoing)
  }
  const server = await serveHttp(listener, { ...anyPort, connections, onAnswer, ...options })
  return {
    ...gateway,
    url: server.url,
    arrived: () => arrived,
    async [Symbol.asyncDispose]() {
      gateway.drain.abort()
      await server[Symbol.asyncDispose]()
      await gateway[Symbol.asyncDispose]()
    },
  }
}
