import pg from 'pg'
import { type Hosts, NoPrimary, wordOf } from './hosts.ts'
import { type ClientOptions, StoreClient } from './store-client.ts'

type Callback = (error: Error | undefined, client: pg.PoolClient | undefined, done: () => void) => void

/**
 * A pool whose connections lead to the primary, whichever of the hosts that is. A call fails only once all hosts were tried. A
 * host that worked stays the current one, so none but the first call after a failover looks for it.
 */
export class PrimaryPool extends pg.Pool {
  readonly #hosts: Hosts

  constructor(options: Omit<pg.PoolConfig, 'Client' | 'onConnect'> & ClientOptions) {
    super({
      ...options,
      Client: StoreClient as unknown as new () => pg.Client,
      onConnect: greet(options.hosts),
    })
    this.#hosts = options.hosts
  }

  override connect(): Promise<pg.PoolClient>
  override connect(callback: Callback): void
  override connect(callback?: Callback): Promise<pg.PoolClient> | undefined {
    const found = this.#find()
    if (callback === undefined) return found
    const nothing = () => undefined
    found.then(
      (client) => callback(undefined, client, client.release),
      (error: Error) => callback(error, undefined, nothing),
    )
    return undefined
  }

  async #find(): Promise<pg.PoolClient> {
    const failures: Error[] = []
    for (;;) {
      try {
        const client = await super.connect()
        if ((client as unknown as StoreClient).at === this.#hosts.current) return client
        client.release(true) // left meanwhile: it is no primary any more
      } catch (error) {
        const verdict = this.#verdictOn(error)
        if (verdict === undefined) throw error
        // Once for each host: from then on its connections are made for a pooler.
        if (verdict === 'leave') failures.push(error as Error)
        if (failures.length >= this.#hosts.all.length) throw summaryOf(failures)
      }
    }
  }

  #verdictOn(error: unknown): 'again' | 'leave' | undefined {
    if (!(error instanceof Error)) return undefined
    // pg-pool puts an error of its own around that of a connection that took too long.
    return this.#hosts.failures.get(error) ?? this.#verdictOn(error.cause)
  }
}

/** Where all hosts failed alike, that is the reason; otherwise that none is a primary, and `tried` says what each said. */
function summaryOf(failures: readonly Error[]): Error {
  const last = failures.at(-1) as Error
  const words = new Set(failures.map(wordOf))
  return words.size === 1 ? last : new NoPrimary('NO_PRIMARY')
}

/**
 * What is asked of every new connection: whether a pooler is in between, which has a number of its own for the session, and
 * where there are several hosts, whether it leads to the primary. And PostgreSQL is to log neither rows (DETAIL and CONTEXT of
 * errors) nor parameters of this session, if the role may say so: a superuser may, and whoever it was granted to. What is
 * left otherwise, the doctor says (`postgres.log`).
 */
const greet = (hosts: Hosts) => async (connected: pg.ClientBase) => {
  const client = connected as StoreClient
  if (client.isReplica) return // it takes no SQL
  try {
    const pid = Number((client as unknown as { processID: number }).processID)
    const results: unknown = await client.query(`
      SELECT pg_backend_pid() <> ${pid} AS is_pooled, pg_is_in_recovery() AS is_standby;
      SELECT set_config(name, value, false)
      FROM (VALUES ('log_error_verbosity', 'terse'), ('log_parameter_max_length', '0')) AS wanted (name, value)
      WHERE pg_backend_pid() = ${pid} AND has_parameter_privilege(name, 'SET')`)
    const [{ rows }] = results as [pg.QueryResult<{ is_pooled: boolean; is_standby: boolean }>]
    const [found] = rows
    if (found?.is_pooled && !client.isMadeForPooler) {
      client.at.isPooled = true
      throw new Error('a pooler is in between')
    }
    if (found?.is_standby && hosts.all.length > 1 && !hosts.isAnyGood) throw new NoPrimary('25006')
    client.at.said = undefined
  } catch (error) {
    client.onFailure(error as Error)
    throw error
  }
}
