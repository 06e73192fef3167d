import pg from 'pg'
import { type Host, type Hosts, leaveHost, wordOf } from './hosts.ts'

/** What a pool makes its connections with. */
export interface ClientOptions extends pg.ClientConfig {
  readonly hosts: Hosts
}

/** What pg has, and its types have not. */
interface Startup {
  getStartupConf(): Record<string, string>
}

/**
 * A connection to the current host.
 *
 * It ends when it cannot be made. pg leaves one open of which it has found out by itself that it leads nowhere, as without
 * a password: it would count as one of PostgreSQL's, and keep our process up, until PostgreSQL gives up waiting
 * (authentication_timeout: a minute).
 *
 * Its name has no "Pool" in it: Drizzle would take it for one, and connect it once more.
 *
 * Behind a pooler a session is one's own for a transaction at most. So settings go along with each BEGIN, and no statement is
 * prepared by a name.
 */
export class StoreClient extends pg.Client {
  readonly at: Host
  readonly #hosts: Hosts
  readonly #options: ClientOptions
  /** Whether it was made without what poolers refuse. */
  readonly isMadeForPooler: boolean

  constructor(options: ClientOptions) {
    const { current } = options.hosts
    // The password comes with the URL: pg-pool hides the one of its options from a copy.
    super({ ...options, ...(current.isPooled && withoutStartup), connectionString: current.url })
    this.at = current
    this.#hosts = options.hosts
    this.#options = options
    this.isMadeForPooler = current.isPooled
    if (this.isMadeForPooler) unname(this)
  }

  override connect(): Promise<pg.Client>
  override connect(callback: ((err: Error) => void) | ((err: null, client: pg.Client) => void)): void
  override connect(
    callback?: (err: Error & null, client: pg.Client) => void,
  ): Promise<pg.Client> | undefined {
    if (callback === undefined) return super.connect()
    super.connect((error: (Error & null) | null, client?: pg.Client) => {
      if (error) {
        this.connection.stream.destroy()
        this.onFailure(error)
      }
      callback(error as Error & null, client as pg.Client)
    })
    return undefined
  }

  /** Whether it is to copy the server's files, as a replica does. */
  get isReplica(): boolean {
    return this.at.url.includes('replication=true')
  }

  /** Notes that the connection leads nowhere, so that the next one is made in another way. */
  onFailure(error: Error): void {
    const { at } = this
    if (!this.isMadeForPooler && isStartupRefused(error)) at.isPooled = true
    const isOther = at.isPooled !== this.isMadeForPooler
    this.#hosts.failures.set(error, isOther ? 'again' : 'leave')
    if (!isOther) leaveHost(this.#hosts, at, wordOf(error))
  }

  /** Has the next connections made to another host: this one is no primary any more. */
  leave(said: string): void {
    leaveHost(this.#hosts, this.at, said)
  }

  /** What begins a transaction: with the settings that a session of our own got when it began. */
  get begin(): string {
    if (!this.isMadeForPooler) return 'BEGIN'
    const { statement_timeout: statementMs, idle_in_transaction_session_timeout: idleMs } = this.#options
    return [
      'BEGIN',
      `SET LOCAL statement_timeout = ${Number(statementMs || 0)}`,
      `SET LOCAL idle_in_transaction_session_timeout = ${Number(idleMs ?? 0)}`,
      'SET LOCAL plan_cache_mode = force_custom_plan',
      'SET LOCAL jit = off',
      'SET LOCAL log_parameter_max_length_on_error = 0',
    ].join('; ')
  }

  /** Poolers know these two, and see to it that every session has them. */
  getStartupConf(): Record<string, string> {
    const conf = (pg.Client.prototype as unknown as Startup).getStartupConf.call(this)
    return this.isMadeForPooler ? { ...conf, TimeZone: 'UTC', DateStyle: 'ISO' } : conf
  }
}

const withoutStartup = {
  statement_timeout: undefined,
  idle_in_transaction_session_timeout: undefined,
  options: undefined,
}

const isStartupRefused = (error: Error): boolean =>
  'code' in error && error.code === '08P01' && /startup parameter/i.test(error.message)

/** Has statements prepared for one execution each: the next one may be another session's, which does not know them. */
function unname(client: pg.Client): void {
  const query = client.query.bind(client) as (...args: unknown[]) => unknown
  const unnamed = (config: unknown) =>
    typeof config === 'object' && config !== null && 'name' in config && !('submit' in config)
      ? { ...config, name: undefined }
      : config
  Object.assign(client, { query: (config: unknown, ...rest: unknown[]) => query(unnamed(config), ...rest) })
}
