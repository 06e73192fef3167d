/**
 * A network of this command's own, in which the target's servers have addresses on two sides that can be cut off from each
 * other. Nothing of it is seen outside, every port is free there, and it is gone with its last process.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { promisify } from 'node:util'
import { UsageError } from '@sekali/local/usage-error'
import { requireDebian } from '@sekali/testkit/debian'

const execute = promisify(execFile)

/** Set for the process that is inside. */
const mark = 'SEKALI_OWN_NETWORK'

/** The first Redis is on the side of the gateways, its replicas and the Sentinels are on the other. */
export const hosts = ['127.0.10.1', ['127.0.11.1', '127.0.11.2'], '127.0.11.3'] as const
const otherSide = '127.0.11.0/24'

/**
 * Installs Debian's packages that are missing, after saying so, and runs this very command once more, inside. Resolves with its
 * status there; with undefined if this is inside.
 */
export async function enterOwnNetwork(
  packages: readonly string[],
  signal: AbortSignal,
): Promise<number | undefined> {
  if (process.env[mark] !== undefined) {
    await execute('ip', ['link', 'set', 'lo', 'up'])
    return undefined
  }
  if (process.getuid?.() !== 0)
    throw new UsageError('--target ha makes a network of its own, which only root may: start it with sudo.')
  await requireDebian('iproute2', 'iptables', ...packages)
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const child = spawn('unshare', ['--net', ...again], {
    env: { ...process.env, [mark]: '1' },
    stdio: 'inherit',
  })
  const stop = () => child.kill('SIGTERM')
  signal.addEventListener('abort', stop)
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 1
}

/** From now on no packet comes from one side to the other. Connections stay open, as they do when a cable is cut. */
export async function cutNetwork(): Promise<void> {
  await rule('-s', otherSide, '-d', otherSide, '-j', 'ACCEPT')
  await rule('-s', otherSide, '-j', 'DROP')
  await rule('-d', otherSide, '-j', 'DROP')
}

export const healNetwork = async (): Promise<void> => void (await execute('iptables', ['-F', 'INPUT']))

const rule = (...words: string[]) => execute('iptables', ['-A', 'INPUT', ...words])
