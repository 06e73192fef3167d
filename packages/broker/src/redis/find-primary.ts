/** Asks Sentinels which Redis is the primary. */
import { withDeadline } from '@sekali/core/deadline'
import type { Login, SentinelHost, SentinelUrl } from '@sekali/core/sentinel-url'
import { Redis } from 'ioredis'

export interface Primary extends SentinelHost {
  /** Of the configuration that names it: each failover has a higher one than the last. */
  readonly epoch: number
}

/** What the table of troubles (core/trouble/rows.ts) knows it by. */
export const sentinelTrouble = (code: 'SILENT' | 'UNKNOWN_NAME' | 'LOGIN' | 'BEHIND'): Error =>
  Object.assign(new Error('no primary'), { code: `SENTINEL_${code}` })

/**
 * Asks all at once. Of the first answers, of more than half of them, the one with the highest epoch counts, because a
 * Sentinel that is cut off from the others knows of no failover.
 */
export async function findPrimary(url: SentinelUrl, askMs: number): Promise<Primary> {
  const asked = url.sentinels.map((sentinel) => askSentinel(url, sentinel, askMs))
  const { answers, failures } = await firstAnswers(asked)
  const best = answers.toSorted((a, b) => b.epoch - a.epoch)[0]
  if (best !== undefined) return best
  const told = failures.find((error) => 'code' in error && String(error.code).startsWith('SENTINEL_'))
  throw told ?? sentinelTrouble('SILENT')
}

/** Those of more than half, or of all that there are. */
function firstAnswers(
  asked: readonly Promise<Primary>[],
): Promise<{ answers: Primary[]; failures: Error[] }> {
  const answers: Primary[] = []
  const failures: Error[] = []
  return new Promise((resolve) => {
    const onSettled = () => {
      const isEnough = answers.length > asked.length / 2
      if (isEnough || answers.length + failures.length === asked.length) resolve({ answers, failures })
    }
    for (const one of asked) {
      one
        .then(
          (answer) => void answers.push(answer),
          (error: Error) => void failures.push(error),
        )
        .then(onSettled)
    }
  })
}

/** Asks one, on a connection of its own. */
export async function askSentinel(
  url: SentinelUrl,
  { host, port }: SentinelHost,
  askMs: number,
): Promise<Primary> {
  const client = new Redis({
    host,
    port,
    ...(url.isTls && { tls: {} }),
    protocol: 2,
    connectTimeout: askMs,
    disableClientInfo: true,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  })
  client.on('error', () => undefined) // the calls fail with it, or for want of a connection
  try {
    const auth = authenticate(client, url.sentinel)
    const calls = Promise.all([
      client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', url.name),
      // For its epoch. Not for the address: during a failover it has the old one for longer.
      client.call('SENTINEL', 'MASTER', url.name).catch(() => []),
      auth,
    ])
    const [address, master] = await withDeadline(calls, askMs, () => {
      throw sentinelTrouble('SILENT')
    })
    if (!Array.isArray(address)) throw sentinelTrouble('UNKNOWN_NAME')
    return { host: String(address[0]), port: Number(address[1]), epoch: epochOf(master) }
  } catch (error) {
    throw isLoginRefused(error) ? sentinelTrouble('LOGIN') : error
  } finally {
    client.disconnect()
  }
}

/** Not by ioredis's options, with which it writes to the terminal where no password is needed. */
const authenticate = (client: Redis, { username, password }: Login): Promise<unknown> | undefined =>
  password === undefined
    ? undefined
    : client.call('AUTH', ...(username === undefined ? [] : [username]), password)

/** Of a flat reply: name, value, name, value … 0 where the user may not ask for it. */
function epochOf(master: unknown): number {
  const at = Array.isArray(master) ? master.indexOf('config-epoch') : -1
  return at === -1 ? 0 : Number((master as unknown[])[at + 1])
}

const isLoginRefused = (error: unknown): boolean =>
  error instanceof Error && /^(NOAUTH|WRONGPASS|NOPERM|ERR AUTH) /.test(error.message)
