import { createServer } from 'node:net'
import { SekaliError } from '@sekali/core/errors'
import { freePort } from '@sekali/servers/free-port'
import { waitUntil } from '@sekali/servers/wait-until'

/** Somebody else listens on the port that was asked for. */
class PortTaken extends SekaliError {
  readonly code = 'port_taken'
  readonly retryable = false
}

// As long as a gateway whose supervisor was killed may drain.
const drainMs = 10_000

/**
 * The port for the gateway: the wanted one, or a free one if none is wanted. Throws {@link PortTaken}. `patient`: an earlier
 * gateway may still be draining on it.
 */
export async function claimPort(wish: {
  readonly port: number | undefined
  readonly host: string
  readonly patient: boolean
}): Promise<number> {
  const { port, host, patient } = wish
  if (port === undefined) return await freePort()
  let refusal = await tryPort(port, host)
  if (refusal === undefined) return port
  const listenable = async () => {
    refusal = await tryPort(port, host)
    return refusal === undefined
  }
  if (patient && (await waitUntil(listenable, drainMs))) return port
  throw new PortTaken(
    `${reasonOf(refusal, port, host)} Choose another port, for instance: npm start -- --port ${port + 1}`,
  )
}

function reasonOf(code: string | undefined, port: number, host: string): string {
  if (code === 'EADDRINUSE') return `Port ${port} is taken: another program listens on it.`
  if (code === 'EACCES') return `Port ${port} is not for ordinary users to listen on.`
  return `One cannot listen on ${host}:${port} (${code}).`
}

// The error code, if one cannot listen there.
async function tryPort(port: number, host: string): Promise<string | undefined> {
  return await new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    probe.listen(port, host, () => probe.close(() => resolve(undefined)))
  })
}

/** Where a client on this machine reaches a server that listens on `host`. */
export function addressOf(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
