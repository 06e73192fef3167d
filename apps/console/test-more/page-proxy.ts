import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { policy } from './policy.ts'

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
}

/** The console and the API behind a prefix, as a proxy has them: the page of `folder`, all else from the gateway. */
export async function ownPageProxy(folder: string, gatewayUrl: string, prefix: string) {
  const server = createServer(async (incoming, outgoing) => {
    const path = (incoming.url ?? '').replace(prefix, '')
    const file = path === '' ? 'index.html' : path
    if (file !== 'index.html' && !file.startsWith('assets/'))
      return forward(gatewayUrl, path, incoming, outgoing)
    try {
      const body = await readFile(join(folder, file))
      const type = types[file.split('.').at(-1) ?? ''] ?? 'application/octet-stream'
      outgoing.writeHead(200, { 'Content-Type': type, 'Content-Security-Policy': policy }).end(body)
    } catch {
      outgoing.writeHead(404).end()
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function forward(
  gatewayUrl: string,
  path: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const { method = 'GET', headers } = incoming
  const onward = request(`${gatewayUrl}/${path}`, { method, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(outgoing)
  })
  onward.on('error', () => {
    if (outgoing.headersSent) outgoing.destroy()
    else outgoing.writeHead(502).end()
  })
  outgoing.on('close', () => onward.destroy())
  incoming.pipe(onward)
}
