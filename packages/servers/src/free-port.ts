import { randomInt } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'

/** Below are the ports that services are known by. */
const lowest = 10_000
const triesMax = 100

/**
 * A TCP port that no process listens on now. Another process may take it first: then the caller must try again. It is none
 * of those that the kernel gives to connections and to whoever listens on port 0: on a busy machine these are taken by the
 * hundred each second.
 */
export async function freePort(): Promise<number> {
  const below = await lowestOfKernel()
  for (let tries = 0; below > lowest && tries < triesMax; tries++) {
    const port = randomInt(lowest, below)
    if ((await listenOnce(port).catch(() => 0)) === port) return port
  }
  return await listenOnce(0)
}

/** See ip_local_port_range in ip(7); 0 where nothing says so. */
async function lowestOfKernel(): Promise<number> {
  const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => '')
  return Number.parseInt(range, 10) || 0
}

/** Resolves with the port that was listened on. Rejects when it is taken. */
const listenOnce = (port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(port, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
