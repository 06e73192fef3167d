import { type Finding, ok, problem, warning } from '@sekali/core/finding'
import { type KeysState, readKeysState } from '../keys/state.ts'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { makeSchema, toPrimary, upgrade, versionNumberMin } from './health.ts'
import { keys } from './keys-finding.ts'

/** Looks at everything about PostgreSQL that the promises hang on. Rejects with `StoreUnavailable`. */
export async function examineStore(store: Store): Promise<Finding[]> {
  const state = await readState(store)
  return [
    version(state),
    role(state),
    schema(state),
    ...keys(state.keys),
    ...['fsync', 'synchronous_commit', 'full_page_writes'].map((name) => durability(state, name)),
    timeouts(state, store.pool.options.statement_timeout, store.isPooled),
    autovacuum(state),
    connections(state),
    transactions(state),
    log(state),
  ]
}

/** What PostgreSQL's clock shows, in milliseconds since 1970. Rejects with `StoreUnavailable`. */
export async function readClock(store: Store): Promise<number> {
  const { rows } = await query<{ ms: string }>(
    store,
    sql`SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms`,
  )
  return Number(rows[0]?.ms)
}

interface State {
  readonly settings: ReadonlyMap<string, string>
  readonly isReplica: boolean
  readonly hasSchema: boolean
  /** Undefined where there is no schema. */
  readonly keys: KeysState | undefined
  readonly sessions: number
  /** Of the transaction that has been open longest; 0 if there is none. */
  readonly oldestSeconds: number
}

async function readState(store: Store): Promise<State> {
  const settings = await query<{ name: string; setting: string }>(
    store,
    sql`SELECT name, setting FROM pg_settings WHERE name IN ('server_version', 'server_version_num', 'fsync',
      'synchronous_commit', 'full_page_writes', 'statement_timeout', 'idle_in_transaction_session_timeout',
      'transaction_timeout', 'autovacuum', 'max_connections', 'log_error_verbosity', 'log_destination',
      'log_parameter_max_length', 'log_statement', 'log_min_duration_statement')`,
  )
  const server = await query<{ replica: boolean; schema: boolean; sessions: string; oldest: string }>(
    store,
    sql`SELECT pg_is_in_recovery() AS replica, to_regclass('key_upgrade') IS NOT NULL AS schema, count(*) AS sessions,
      coalesce(extract(epoch FROM clock_timestamp() - min(xact_start)), 0) AS oldest
      FROM pg_stat_activity WHERE backend_type = 'client backend'`,
  )
  const [row] = server.rows
  return {
    settings: new Map(settings.rows.map(({ name, setting }) => [name, setting])),
    isReplica: row?.replica === true,
    hasSchema: row?.schema === true,
    keys: row?.schema === true ? await readKeys(store) : undefined,
    sessions: Number(row?.sessions),
    oldestSeconds: Number(row?.oldest),
  }
}

const readKeys = (store: Store) =>
  readKeysState(store.pool).catch((error: unknown) => {
    throw asStoreError(error, 'examination')
  })

const query = <T extends Record<string, unknown>>(store: Store, statement: ReturnType<typeof sql>) =>
  store.db.execute<T>(statement).catch((error: unknown) => {
    throw asStoreError(error, 'examination')
  })

const reload = (name: string, value: string) => `ALTER SYSTEM SET ${name} = ${value}; SELECT pg_reload_conf()`

function version({ settings }: State): Finding {
  const check = 'postgres.version'
  const state = `PostgreSQL ${settings.get('server_version')}`
  if (Number(settings.get('server_version_num')) >= versionNumberMin) return ok(check, state)
  return problem(check, `${state} is too old`, upgrade)
}

function role({ isReplica }: State): Finding {
  const check = 'postgres.role'
  if (!isReplica) return ok(check, 'a primary')
  return problem(check, 'a replica, which takes no writes', toPrimary)
}

function schema({ hasSchema }: State): Finding {
  const check = 'postgres.schema'
  if (hasSchema) return ok(check, 'there')
  return problem(check, 'the tables are missing, or of an older version', makeSchema)
}

function durability({ settings }: State, name: string): Finding {
  const check = `postgres.${name}`
  const setting = settings.get(name) ?? 'unknown'
  if (setting !== 'off') return ok(check, setting)
  return problem(check, 'off: a crash of PostgreSQL can undo what was committed', reload(name, 'on'))
}

/**
 * The ladder of ARCHITECTURE.md: a slow statement is cancelled before its session is ended. We ask for both when we
 * connect, or behind a pooler in each transaction; a server may have a timeout of its own that comes before.
 */
function timeouts({ settings }: State, wanted: false | number | undefined, isPooled: boolean): Finding {
  const check = 'postgres.timeouts'
  const ms = (name: string) => Number(settings.get(name) ?? 0)
  const statement = ms('statement_timeout')
  const idle = ms('idle_in_transaction_session_timeout')
  const transaction = ms('transaction_timeout')
  const state = `statement ${statement} ms, idle in transaction ${idle} ms`
  if (isPooled) {
    const pooled = 'behind a pooler; transactions bring their own timeouts'
    if (statement > 0) return ok(check, `${pooled}, statement ${statement} ms`)
    return warning(check, `${pooled}, and single statements have none: a slow one goes on for ever`, onRoles)
  }
  if (statement !== wanted || idle === 0) {
    return problem(
      check,
      `${state}: not what was asked for, so a stalled turn may hold its topic for ever`,
      'something between Sekali and PostgreSQL drops start-up parameters: connect without it, or let it pass ' +
        'statement_timeout and idle_in_transaction_session_timeout on',
    )
  }
  if (statement >= idle) return problem(check, `${state}: a slow statement ends its session`, ladder)
  if (transaction > 0 && transaction <= idle) {
    return warning(
      check,
      `${state}, but a transaction is ended after ${transaction} ms: long turns will fail`,
      reload('transaction_timeout', '0'),
    )
  }
  return ok(check, state)
}

const onRoles =
  "ALTER ROLE … SET statement_timeout = '5s' for the roles of DATABASE_URL, as packages/store/roles.sql does"
const ladder = 'set REDIS_CALL_MS < STATEMENT_MS < IDLE_IN_TRANSACTION_MS'

function autovacuum({ settings }: State): Finding {
  const check = 'postgres.autovacuum'
  if (settings.get('autovacuum') !== 'off') return ok(check, 'on')
  return warning(check, 'off: tables and plans decay', reload('autovacuum', 'on'))
}

/** A share of max_connections beyond which a few processes more find no connection. */
const connectionsShareMax = 0.9

function connections({ settings, sessions }: State): Finding {
  const check = 'postgres.connections'
  const max = Number(settings.get('max_connections'))
  const state = `${sessions} of ${max} in use`
  if (sessions < max * connectionsShareMax) return ok(check, state)
  return warning(check, state, 'raise max_connections, or see in pg_stat_activity who holds so many')
}

const transactionSecondsMax = 300

function transactions({ oldestSeconds }: State): Finding {
  const check = 'postgres.transactions'
  const state = `the oldest transaction is ${Math.round(oldestSeconds)} s old`
  if (oldestSeconds < transactionSecondsMax) return ok(check, state)
  return warning(
    check,
    `${state} and keeps vacuum from its work`,
    'find it by xact_start in pg_stat_activity; pg_terminate_backend ends it',
  )
}

/**
 * What our sessions cannot keep out of its log themselves: see `keepOutOfItsLog` in postgres/connect.ts. Formats for machines have
 * DETAIL and CONTEXT whatever the verbosity.
 */
function log({ settings }: State): Finding {
  const check = 'postgres.log'
  const is = (name: string, ...values: string[]) => values.includes(settings.get(name) ?? '')
  const isForMachines = /csvlog|jsonlog/.test(settings.get('log_destination') ?? '')
  const logsCalls = !is('log_statement', 'none', 'ddl') || !is('log_min_duration_statement', '-1')
  const exposed: string[] = []
  if (!is('log_error_verbosity', 'terse') || isForMachines)
    exposed.push('parts of rows that PostgreSQL refuses')
  if (logsCalls && !is('log_parameter_max_length', '0')) exposed.push('parameters of statements')
  if (exposed.length === 0) return ok(check, 'gets no content of events')
  return warning(
    check,
    `it may get content of events: ${exposed.join(', ')}`,
    isForMachines && is('log_error_verbosity', 'terse')
      ? 'log_destination = stderr or syslog; csvlog and jsonlog have DETAIL and CONTEXT of every error'
      : `${reload('log_error_verbosity', 'terse')}; the same for log_parameter_max_length = 0`,
  )
}
