import { StoreUnavailable } from '@sekali/core/errors'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
import type pg from 'pg'
import { drizzle } from './drizzle.ts'
import { asStoreError, OldPrimary } from './errors.ts'
import { hostsOf, leaveHost } from './hosts.ts'
import type { Log } from './log.ts'
import { PrimaryPool } from './pool.ts'
import type { StoreClient } from './store-client.ts'

export interface StoreConfig {
  /** `postgres://` or `postgresql://`; it may name several hosts, one of which is the primary. */
  readonly url: string
  /** Connections at most. */
  readonly poolMax: number
  /** Shown by pg_stat_activity; see process-name.ts. */
  readonly name: string
  /** After so long PostgreSQL cancels a statement. */
  readonly statementMs?: number
  /** After so long between two statements of a transaction PostgreSQL ends the session, and with it a turn. */
  readonly idleInTransactionMs?: number
  /** After so long without a connection a call is given up. */
  readonly connectMs?: number
  /** Whether a standby does as well as the primary: for reads that may be of some moments ago. */
  readonly isForReads?: boolean
}

/** Drizzle, on the pool or on a transaction's connection. */
export type Db = NodePgDatabase

/** Drizzle on the connection of a transaction. */
export type Tx = Db & {
  readonly $client: pg.PoolClient
  readonly store: Store
  /** Last statements, whose answers nobody needs: they go along with COMMIT, without a round trip of their own. */
  readonly closing: string[]
}

export interface Store extends AsyncDisposable {
  readonly pool: pg.Pool
  /** For single statements. What needs a transaction goes through {@link withTransaction}. */
  readonly db: Db
  /** Where it connects to and as whom, in words for a log; of several hosts, what was the matter there when last tried. */
  readonly tried: string
  /** Whether a connection pooler has turned out to be in between. */
  readonly isPooled: boolean
  /** Makes new connections to the next host: the current one, for the reason given in a word, is not the primary any more. */
  readonly leave: (said: string) => void
}

/** Connects when first used. Never throws; PostgreSQL may come and go. */
export function connectStore(config: StoreConfig, log: Log): Store {
  const { url, poolMax, name, statementMs = 5_000, idleInTransactionMs = 8_000, connectMs = 1_500 } = config
  const hosts = hostsOf(url, config.isForReads)
  const pool = new PrimaryPool({
    hosts,
    max: poolMax,
    application_name: name,
    connectionTimeoutMillis: connectMs,
    statement_timeout: statementMs,
    idle_in_transaction_session_timeout: idleInTransactionMs,
    // The server's timeout cancels a statement cleanly and comes first; this one is for a server that is gone.
    query_timeout: statementMs + 1_000,
    // A session that stayed on a demoted primary would answer reads and refuse writes for ever.
    maxLifetimeSeconds: 300,
    keepAlive: true,
    // What time.ts expects; a database or a role may have settings of its own. And a prepared statement is planned for
    // each execution: a plan kept from when the log was small reads all of it once it is large. For what no index serves but
    // is not run either (keys/event-of-id.ts) it costs a large log so much that LLVM would compile each look-up.
    options:
      '-c timezone=UTC -c datestyle=ISO -c client_encoding=UTF8 -c plan_cache_mode=force_custom_plan -c jit=off ' +
      '-c log_parameter_max_length_on_error=0',
  })
  pool.on('error', (err) => log.warn({ err }, 'idle postgres connection lost'))
  let ended: Promise<void> | undefined
  return {
    pool,
    db: drizzle(pool, { casing: 'snake_case' }),
    get tried() {
      return hosts.tried
    },
    get isPooled() {
      return hosts.current.isPooled
    },
    leave: (said) => leaveHost(hosts, hosts.current, said),
    [Symbol.asyncDispose]: () => (ended ??= pool.end()), // pg rejects a second end()
  }
}

/**
 * Runs `work` in a transaction. Rejects with `StoreUnavailable` or `DataRefused`; after a failed COMMIT the outcome
 * is unknown, so whoever calls this must find out from what is stored.
 *
 * Drizzle's own `transaction()` on a pool leaks the client when BEGIN fails and hides the first error when ROLLBACK
 * fails, and pg-pool stops listening for `error` on a client that is checked out, so that a restart of PostgreSQL
 * would end the process. Hence this helper.
 */
export const withTransaction = <T>(store: Store, what: string, work: (tx: Tx) => Promise<T>): Promise<T> =>
  withOpening(store, what, (client) => client.query(beginOn(client)), work)

/** What begins a transaction on a connection. More may follow it, in the same message. */
export const beginOn = (client: pg.PoolClient): string => (client as unknown as StoreClient).begin

/** A transaction that `open` begins, perhaps with more than BEGIN: what that resolves with, `work` gets as well. */
export async function withOpening<Opened, T>(
  store: Store,
  what: string,
  open: (client: pg.PoolClient) => Promise<Opened>,
  work: (tx: Tx, opened: Opened) => Promise<T>,
): Promise<T> {
  const client = await store.pool.connect().catch((error: unknown) => {
    throw asStoreError(error, what)
  })
  let broken: Error | undefined
  const onError = (error: Error) => {
    broken = error
  }
  client.on('error', onError)
  try {
    const opened = await open(client)
    const tx: Tx = Object.assign(drizzle(client, { casing: 'snake_case' }), { store, closing: [] })
    const result = await work(tx, opened)
    await client.query([...tx.closing, 'COMMIT'].join('; '))
    return result
  } catch (error) {
    const failure = asStoreError(error, what)
    // A session may be what is wrong: one that a demoted primary opened stays read-only for as long as it lives, and one
    // whose server has not answered takes no ROLLBACK either. Its end does the same.
    if (failure instanceof StoreUnavailable) {
      broken ??= failure
      if (failure instanceof OldPrimary) (client as unknown as StoreClient).leave('an old primary')
    } else await client.query('ROLLBACK').catch(onError)
    throw failure
  } finally {
    client.off('error', onError)
    client.release(broken) // an error destroys the connection
  }
}
