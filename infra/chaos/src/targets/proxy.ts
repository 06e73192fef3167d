/**
 * A TCP proxy on one edge of the system that can be told to misbehave. Healthy, it only passes bytes on.
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
  /** Nothing moves any more, and nobody is told. */
  stall(): void
  /** Cuts every connection with a reset. */
  reset(): void
  /** One side of every connection is gone and the other is not told; new connections work. */
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

interface Trap {
  readonly request: RegExp
  readonly sprung: () => void
}

/** After the first byte of the answer: the rest of what was pipelined is carried out as well. */
const cutAfterMs = 20

export async function startProxy(upstream: () => { host: string; port: number }): Promise<TcpProxy> {
  const links = new Set<Link>()
  const strays = new Set<Socket>()
  let delayMs = 0
  let stalled: { readonly over: Promise<void>; readonly end: () => void } | undefined
  let trap: Trap | undefined

  async function hold(): Promise<void> {
    if (delayMs > 0) await pause(delayMs)
    if (stalled !== undefined) await stalled.over
  }

  const listener = createServer((client) => {
    const server = dial(upstream())
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
    void pump(client, server, hold, (chunk) => {
      if (trap === undefined || !trap.request.test(chunk.toString('latin1'))) return true
      const { sprung } = trap
      trap = undefined
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
    void pump(server, client, hold, () => !link.swallowing)
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')

  function dropStrays(): void {
    for (const socket of strays) socket.destroy()
    strays.clear()
  }

  return {
    port: portOf(listener),
    delay: (ms) => {
      delayMs = ms
    },
    stall: () => {
      let end = () => {}
      const over = new Promise<void>((resolve) => {
        end = resolve
      })
      stalled ??= { over, end }
    },
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
    dropReply: (request, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve(false)
        const onAbort = () => {
          trap = undefined
          resolve(false)
        }
        signal.addEventListener('abort', onAbort, { once: true })
        const sprung = () => {
          signal.removeEventListener('abort', onAbort)
          resolve(true)
        }
        trap = { request, sprung }
      }),
    heal: () => {
      delayMs = 0
      stalled?.end()
      stalled = undefined
      dropStrays()
    },
    [Symbol.asyncDispose]: async () => {
      stalled?.end()
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
