/**
 * The sockets on which one port is listened on. The kernel spreads new connections over them (SO_REUSEPORT, socket(7)),
 * and libuv takes one of each in a pass of the event loop. With a single one, a crowd of two thousand takes as many passes,
 * and each pass also does what else there is to do.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import process from 'node:process'
import { InvalidConfig } from '@sekali/core/errors'

export interface Doors {
  readonly address: AddressInfo
  /** Takes no more connections. Resolves when all that were taken are closed. */
  close(): Promise<void>
}

export interface DoorsOptions {
  readonly host: string
  readonly port: number
  /** The variables that these two come from. */
  readonly variables: string
}

/** Elsewhere the kernel does not spread connections. */
export const doorCount = process.platform === 'linux' ? 16 : 1
/**
 * Connections that the kernel keeps until they are taken; it allows as many by itself (net.core.somaxconn). Node's 511 are
 * full when a client opens a thousand at once, and whoever comes then is heard only when its kernel asks again: a second later.
 */
const backlog = 4_096

/** `take` gets each connection, unread. Rejects with InvalidConfig. */
export async function openDoors(options: DoorsOptions, take: (socket: Socket) => void): Promise<Doors> {
  // Sockets that share a port let others of this user share it, too: a second gateway would get half of the connections.
  if (options.port !== 0) await close(await open(options, false, take))
  const first = await open(options, doorCount > 1, take)
  const address = first.address() as AddressInfo
  const doors = [first]
  while (doors.length < doorCount) doors.push(await open({ ...options, port: address.port }, true, take))
  return { address, close: async () => void (await Promise.all(doors.map(close))) }
}

const close = (door: Server): Promise<void> => new Promise((resolve) => door.close(() => resolve()))

function open(
  { host, port, variables }: DoorsOptions,
  reusePort: boolean,
  take: (socket: Socket) => void,
): Promise<Server> {
  return new Promise((resolve, reject) => {
    // Bytes stay in the kernel until the connection is served.
    const door = createServer({ pauseOnConnect: true, allowHalfOpen: true }, take)
    door.once('error', (cause: NodeJS.ErrnoException) => {
      const why = reasons[cause.code ?? ''] ?? 'cannot be listened on'
      reject(new InvalidConfig(`${variables}: ${host}:${port} ${why}`, { cause }))
    })
    door.listen({ port, host, backlog, reusePort }, () => {
      door.removeAllListeners('error')
      resolve(door)
    })
  })
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken by another process',
  EACCES: 'is not allowed to this user',
  EADDRNOTAVAIL: 'is not an address of this machine',
  ENOTFOUND: 'is not an address',
}
