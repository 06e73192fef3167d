/**
 * Connects to the primary that Sentinels name, and notices when it is another one.
 *
 * A primary that is cut off from its Sentinels goes on for whoever is connected to it. So one of them is asked every
 * second, in turn, and connections to what is not the primary any more are cut.
 *
 * Not ioredis's own connector: it believes the first Sentinel that answers, though it may be one that is cut off, and its
 * detector of failovers keeps a connection to each Sentinel for each connection to Redis.
 */
import { createConnection, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { SentinelHost, SentinelUrl } from '@sekali/core/sentinel-url'
import { AbstractConnector } from 'ioredis'
import { askSentinel, findPrimary, type Primary, sentinelTrouble } from './find-primary.ts'

export interface Sentinels {
  /** For ioredis's option of that name; also of duplicates. */
  readonly Connector: new (
    options: unknown,
  ) => AbstractConnector
  /** Host and port of the primary that was named last. */
  readonly primary: () => string | undefined
  /** Ends asking. */
  readonly close: () => void
}

const askEveryMs = 1_000

export function watchSentinels(url: SentinelUrl, askMs: number): Sentinels {
  const connectors = new Set<PrimaryConnector>()
  let named: Primary | undefined
  let asked = 0

  async function ask(): Promise<void> {
    const sentinel = url.sentinels[asked++ % url.sentinels.length] as SentinelHost
    const answer = await askSentinel(url, sentinel, askMs).catch(() => undefined) // the next one, then
    if (answer === undefined) return
    for (const connector of connectors) connector.leaveFor(answer)
  }

  const timer = setInterval(() => void ask(), askEveryMs).unref()
  return {
    Connector: class extends PrimaryConnector {
      constructor() {
        super(url, askMs, (primary) => {
          named = primary
        })
        connectors.add(this)
      }
    },
    primary: () => named && `${named.host}:${named.port}`,
    close: () => clearInterval(timer),
  }
}

type Report = (type: string, error: Error) => void

/** How long a connection that ioredis ends may still answer. */
const disconnectMs = 2_000

class PrimaryConnector extends AbstractConnector {
  readonly #url: SentinelUrl
  readonly #askMs: number
  readonly #onFound: (primary: Primary) => void
  #at: Primary | undefined
  #report: Report = () => undefined

  constructor(url: SentinelUrl, askMs: number, onFound: (primary: Primary) => void) {
    super(disconnectMs)
    this.#url = url
    this.#askMs = askMs
    this.#onFound = onFound
  }

  async connect(report: Report): Promise<Socket> {
    this.connecting = true
    this.#report = report
    const found = await findPrimary(this.#url, this.#askMs)
    if (!this.connecting) throw new Error('Connection is closed.') // told to disconnect meanwhile
    const { host, port } = found
    const stream = this.#url.isTls ? connectTls({ host, port }) : createConnection({ host, port })
    stream.once('error', (error) => {
      this.firstError = error
    })
    this.stream = stream
    this.#at = found
    this.#onFound(found)
    return stream
  }

  /** Gets what INFO says; ioredis connects again unless that is a primary. */
  override check({ role }: { readonly role?: string }): boolean {
    const isPrimary = role === undefined || role === 'master'
    if (!isPrimary) this.#report('error', sentinelTrouble('BEHIND'))
    return isPrimary
  }

  /** Cuts the connection if it leads elsewhere. At once, because a server that hangs would not end it. */
  leaveFor(primary: Primary): void {
    if (this.#at === undefined || !isLater(primary, this.#at)) return
    this.#at = undefined
    this.stream.destroy()
  }
}

/** Not by its address alone: Sentinels may write the same one differently. */
const isLater = (primary: Primary, { host, port, epoch }: Primary): boolean =>
  primary.epoch > epoch && (primary.host !== host || primary.port !== port)
