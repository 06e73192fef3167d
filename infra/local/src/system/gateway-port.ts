import { createServer } from 'node:net'
import { SekaliError } from '@sekali/core/errors'
import { freePort } from '@sekali/servers/free-port'
import { listenerOn } from '@sekali/servers/listener'
import { waitUntil } from '@sekali/servers/wait-until'
import { startCommand } from '../command/repository.ts'
import { UsageError } from '../command/usage-error.ts'

/** Somebody else listens on the port that was asked for. */
class PortTaken extends SekaliError {
  readonly code = 'port_taken'
  readonly retryable = false
}

// As long as a gateway whose supervisor was killed may drain.
const drainMs = 10_000
const commandCharsMax = 120
/** As a clone runs it, or the package. */
const startProgram = /\/(?:infra\/local\/src\/start\.ts|@sekali\/cli\/start\.mjs)(?:\s|$)/

/** What holds the ports that containers publish. */
const proxyProgram = /^(?:\S*\/)?(?:docker-proxy|rootlessport|pasta|slirp4netns)(?:\s|$)/

/**
 * The port for the gateway: the wanted one, or a free one if none is wanted. Throws {@link PortTaken}, and
 * {@link UsageError} if nobody could listen there. `patient`: an earlier gateway may still be draining on it.
 */
export async function claimPort(wish: {
  readonly port: number | undefined
  readonly host: string
  readonly patient: boolean
  /** The options that choose them, for the words. */
  readonly options?: { readonly port: string; readonly host: string }
}): Promise<number> {
  const { port, host, patient, options = { port: '--port', host: '--host' } } = wish
  if (port === undefined) return await freePort()
  let refusal = await tryPort(port, host)
  if (refusal === undefined) return port
  const listenable = async () => {
    refusal = await tryPort(port, host)
    return refusal === undefined
  }
  if (patient && (await waitUntil(listenable, drainMs))) return port
  const other = `${startCommand} ${options.port} ${await freePort()}`
  if (refusal === 'EADDRINUSE') throw new PortTaken(`${await takenBy(port)}Or choose another port: ${other}`)
  if (refusal === 'EACCES') {
    throw new UsageError(`Port ${port} is not for ordinary users to listen on. Choose another: ${other}`)
  }
  const remedy = `Choose another: ${startCommand} ${options.host} 127.0.0.1`
  throw new UsageError(`${host} is no address of this machine (${refusal}). ${remedy}`)
}

async function takenBy(port: number): Promise<string> {
  const listener = await listenerOn(port)
  if (listener === undefined) return `Port ${port} is taken: another program listens on it. Stop that one.\n`
  const { pid, command, parent } = listener
  // A gateway that is killed is started again by the start that it belongs to, of this installation or another.
  if (startProgram.test(parent.command)) {
    return `Port ${port} is taken by another ${startCommand.replace(/ --$/, '')}, process ${parent.pid}. Stop that one with: kill ${parent.pid}\n`
  }
  // It is started again, or stands for nothing, without its container.
  if (proxyProgram.test(command)) {
    return `Port ${port} is taken by a container that publishes it. docker ps shows which; stop the container.\n`
  }
  return `Port ${port} is taken: process ${pid} listens on it (${shortened(command)}). Stop that one with: kill ${pid}\n`
}

/** Without its middle, if it is long: the end of a command line tells more than the folders at its beginning. */
function shortened(command: string): string {
  const half = commandCharsMax / 2
  return command.length <= commandCharsMax ? command : `${command.slice(0, half)}…${command.slice(-half)}`
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
