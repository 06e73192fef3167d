import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { freePort } from '@sekali/servers/free-port'
import { findRedisBinary } from '@sekali/servers/redis-binary.mjs'
import { ownFolder } from '../servers.ts'

interface Impostor extends AsyncDisposable {
  readonly port: number
}

interface SentinelOptions {
  /** Where it sees the primary `main`; without it, it sees none. */
  readonly primaryPort?: number
  /** More lines of its file; it listens for TLS alone then. */
  readonly tls?: readonly string[]
}

/** A Sentinel, from the same binary as Redis. */
export async function ownSentinel({ primaryPort = 1, tls = [] }: SentinelOptions = {}): Promise<Impostor> {
  const folder = await ownFolder()
  const port = await freePort()
  const configFile = join(folder.path, 'sentinel.conf')
  const lines = [
    'bind 127.0.0.1',
    ...(tls.length === 0 ? [`port ${port}`] : ['port 0', `tls-port ${port}`]),
    `dir ${folder.path}`,
    `sentinel monitor main 127.0.0.1 ${primaryPort} 1`,
    ...tls,
  ]
  await writeFile(configFile, lines.join('\n'))
  const child = spawn(findRedisBinary().path ?? 'redis-server', [configFile, '--sentinel'], {
    stdio: 'ignore',
  })
  const exited = once(child, 'exit')
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await exited
      await folder[Symbol.asyncDispose]()
    },
  }
}

/** Whoever sends anything gets this answer and is hung up on. */
export async function ownAnswerer(answer: Uint8Array): Promise<Impostor> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end(answer))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** PostgreSQL's ErrorResponse. https://www.postgresql.org/docs/current/protocol-message-formats.html */
export function postgresError(sqlState: string, message: string): Uint8Array {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${sqlState}\0M${message}\0\0`)
  const head = Buffer.from('E\0\0\0\0')
  head.writeInt32BE(fields.length + 4, 1)
  return Buffer.concat([head, fields])
}
