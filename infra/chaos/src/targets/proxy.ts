/**
 * A TCP proxy on one edge of the system that misbehaves on demand. Healthy, it only passes bytes on.
 *
 * `dropReply` is the fault that matters most: it passes a request on, waits for the server's answer as the proof
 * that the request was carried out, swallows the answer and cuts the connection. Whoever sent it cannot know.
 */
import { once } from 'node:events'
import { createServer, connect as dial, type Server, type Socket } from 'node:net'
import { pause } from '../clock.ts'

export interface TcpProxy extends AsyncDisposable {
  readonly port: number
  /** Every piece of data takes that much longer, each way. */
  delay(ms: number): void
  /** Nothing moves any more, and no connection is closed. */
  stall(): void
  /** Cuts every connection with a reset. */
  reset(): void
  /** One side of every connection is gone and the other does not notice; new connections work. */
  halfOpen(gone: 'client' | 'server'): void
  /** For the next request that matches: carried out, not answered, cut. Resolves when that has happened. */
  dropReply(request: RegExp, signal: AbortSignal): Promise<boolean>
  /** As if nothing had been; what was stalled moves on, and what was half open is closed. */
  heal(): void
}

interface Link {
  readonly client: Socket
  readonly server: Socket
  swallowing: boolean
}

/** After the first byte of the answer: the rest of what was pipelined is carried out as well. */
const cutAfterMs = 20

export async function startProxy(upstream: () => { host: string; port: number }): Promise<TcpProxy> {
  const links = new Set<Link>()
  const strays = new Set<Socket>()
  const brake = createBrake()
  const trap = createTrap()
  const listener = createServer((client) => join(client, dial(upstream()), links, brake, trap))
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')

  function dropStrays(): void {
    for (const socket of strays) socket.destroy()
    strays.clear()
  }

  return {
    port: portOf(listener),
    delay: brake.delay,
    stall: brake.stall,
    reset: () => {
      for (const { client, server } of links) {
        client.resetAndDestroy()
        server.resetAndDestroy()
      }
    },
    halfOpen: (gone) => {
      for (const link of links) {
        const [lost, kept] = gone === 'client' ? [link.client, link.server] : [link.server, link.client]
        links.delete(link) // so that the end of the one is not passed on to the other
        lost.resetAndDestroy()
        kept.removeAllListeners('data').resume()
        strays.add(kept)
      }
    },
    dropReply: trap.set,
    heal: () => {
      brake.release()
      dropStrays()
    },
    [Symbol.asyncDispose]: async () => {
      brake.release()
      dropStrays()
      for (const { client, server } of links) {
        client.destroy()
        server.destroy()
      }
      listener.close()
      await once(listener, 'close')
    },
  }
}

/** Passes on what comes on either side, until one ends; unless the trap cuts both. */
function join(client: Socket, server: Socket, links: Set<Link>, brake: Brake, trap: Trap): void {
  const link: Link = { client, server, swallowing: false }
  links.add(link)
  const end = () => {
    if (!links.delete(link)) return
    // What is on its way still arrives.
    client.destroySoon()
    server.destroySoon()
  }
  for (const socket of [client, server]) {
    socket.setNoDelay(true)
    socket.on('error', () => undefined) // 'close' follows
    socket.once('close', end)
  }
  void pump(client, server, brake.hold, (chunk) => {
    const sprung = trap.take(chunk)
    if (sprung === undefined) return true
    link.swallowing = true
    server.once('data', () => {
      setTimeout(() => {
        client.resetAndDestroy()
        server.destroy()
        sprung()
      }, cutAfterMs)
    })
    return true
  })
  void pump(server, client, brake.hold, () => !link.swallowing)
}

type Brake = ReturnType<typeof createBrake>

/** What slows and stops all data. */
function createBrake() {
  let delayMs = 0
  let stalled: PromiseWithResolvers<void> | undefined
  return {
    delay(ms: number): void {
      delayMs = ms
    },
    stall(): void {
      stalled ??= Promise.withResolvers<void>()
    },
    release(): void {
      delayMs = 0
      stalled?.resolve()
      stalled = undefined
    },
    async hold(): Promise<void> {
      if (delayMs > 0) await pause(delayMs)
      if (stalled !== undefined) await stalled.promise
    },
  }
}

type Trap = ReturnType<typeof createTrap>

/** Waits for the one request whose reply is to be dropped. */
function createTrap() {
  let waiting: { readonly request: RegExp; readonly sprung: () => void } | undefined
  return {
    set: (request: RegExp, signal: AbortSignal) =>
      new Promise<boolean>((resolve) => {
        if (signal.aborted) return resolve(false)
        const onAbort = () => {
          waiting = undefined
          resolve(false)
        }
        signal.addEventListener('abort', onAbort, { once: true })
        const sprung = () => {
          signal.removeEventListener('abort', onAbort)
          resolve(true)
        }
        waiting = { request, sprung }
      }),
    /** What to call once the reply is dropped, if this is a chunk of the request; the trap is then empty. */
    take(chunk: Buffer): (() => void) | undefined {
      if (!waiting?.request.test(chunk.toString('latin1'))) return undefined
      const { sprung } = waiting
      waiting = undefined
      return sprung
    },
  }
}

// One chunk at a time, so that a delay changes no order. `pass` decides whether a chunk goes on.
async function pump(
  from: Socket,
  to: Socket,
  hold: () => Promise<void>,
  pass: (chunk: Buffer) => boolean,
): Promise<void> {
  let last = Promise.resolve()
  from.on('data', (chunk: Buffer) => {
    if (!pass(chunk)) return
    from.pause()
    last = last.then(async () => {
      await hold()
      if (to.destroyed) return
      if (!to.write(chunk)) await Promise.race([once(to, 'drain'), once(to, 'close')]).catch(() => undefined)
      from.resume()
    })
  })
}

function portOf(listener: Server): number {
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new Error('a proxy has no port')
  return address.port
}
