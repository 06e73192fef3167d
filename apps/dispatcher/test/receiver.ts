/** An endpoint on this machine, which answers as a test wants. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly seq: number
  readonly attempt: number
  readonly atMs: number
}

export interface Receiver extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly received: readonly Received[]
  /** Connections that were made, whether anything was sent on them. */
  readonly connections: () => number
  /** Requests that are being answered, now and at most so far. */
  readonly open: () => number
  readonly openMax: () => number
  answer: (request: Received, response: ServerResponse) => void
}

export const status = (code: number, headers: Record<string, string> = {}) => {
  return (_request: Received, response: ServerResponse) => void response.writeHead(code, headers).end('noted')
}

export async function startReceiver(answer: Receiver['answer'] = status(200)): Promise<Receiver> {
  const received: Received[] = []
  let connections = 0
  let open = 0
  let openMax = 0
  const server = createServer(async (request, response) => {
    open += 1
    openMax = Math.max(openMax, open)
    response.once('close', () => {
      open -= 1
    })
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { headers } = request
    const one = {
      headers,
      body: Buffer.concat(chunks).toString(),
      seq: Number(headers['sekali-seq']),
      attempt: Number(headers['sekali-attempt']),
      atMs: performance.now(),
    }
    received.push(one)
    receiver.answer(one, response)
  })
  server.on('connection', () => {
    connections += 1
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}/hook?a=1`,
    port,
    received,
    connections: () => connections,
    open: () => open,
    openMax: () => openMax,
    answer,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return receiver
}
