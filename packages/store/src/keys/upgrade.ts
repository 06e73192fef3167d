/**
 * Upgrades a log that a version before has filled, while consumers and gateways of both versions go on:
 *
 *     fill        every event gets its key and its tag; those that older consumers store get them from a trigger
 *     check       PostgreSQL itself says that no event is without (a constraint that is validated)
 *     index       the unique index of keys is made, CONCURRENTLY
 *     use         ids are looked up by key in all topics
 *     require     where it is wanted, and no older process is connected: events without keys are refused, the index of texts
 *                 is dropped
 *
 * Each step finds out by itself whether it has been done, so a run that was killed is run again. The first three take time
 * and no lock that anybody would notice; the last two take locks for an instant, and give up if they do not get them soon.
 * Until `require` an older process misses nothing; an older consumer that comes later is refused with an error of which it
 * makes no dead letters.
 */
import { StoreUnavailable } from '@sekali/core/errors'
import pg from 'pg'
import { beginForLong, liftTimeouts, withOwnClient } from '../postgres/own-client.ts'
import { untilUnlocked } from '../postgres/until-unlocked.ts'
import { fillKeys } from './fill.ts'
import { type KeysState, readKeysState } from './state.ts'

export type UpgradeStep = 'fill' | 'check' | 'index' | 'use' | 'require'

export interface UpgradeOptions {
  /** Called before each step that is still to be done. */
  readonly onStep?: (step: UpgradeStep, state: KeysState) => void
  /** Called with how many more events have got keys. */
  readonly onFilled?: (filled: number) => void
  /** Steps that read all events are not begun if there are more; without it they are. */
  readonly eventsMax?: number
  /**
   * Leaves out `require`, after which there is no way back: that no older process is connected just now does not say that none
   * runs, because pg closes sessions that are idle.
   */
  readonly exceptLast?: boolean
  /** Ends it between two spans; what is done stays done. */
  readonly signal?: AbortSignal
}

/** Any number, as long as nothing else in the database locks on it. */
const lockKey = 7_355_254_193n

/** SQLSTATE. */
const checkViolation = '23514'

const lockTimeout = `SET LOCAL lock_timeout = '2s'`

/**
 * Does what is left to do, and resolves with how far the log is then; `undefined` if another run is at it. Rejects with
 * `StoreUnavailable`.
 */
export const upgradeKeys = (url: string, options: UpgradeOptions = {}): Promise<KeysState | undefined> =>
  withOwnClient(url, 'upgrade of the keys', async (client, another) => {
    const { onStep = () => {}, onFilled = () => {}, eventsMax = Number.POSITIVE_INFINITY } = options
    const { signal = new AbortController().signal, exceptLast = false } = options
    await liftTimeouts(client)
    if (!(await lockUpgrade(await another()))) return undefined
    let state = await readKeysState(client)
    if (!state.isUsed && state.events <= eventsMax) {
      if (state.left > 0) onStep('fill', state)
      await fillKeys(client, state.events, onFilled, signal)
      if (signal.aborted) return await readKeysState(client)
      await check(client, () => onStep('check', state))
      await index(client, () => onStep('index', state))
      onStep('use', state)
      await altering(client, 'SELECT use_event_keys()')
    }
    state = await readKeysState(client)
    if (state.isUsed && !state.isRequired && state.older.length === 0 && !exceptLast) {
      onStep('require', state)
      await requireKeys(client)
    }
    return await readKeysState(client)
  })

/** For as long as the connections last. A lock of the session would stay for good behind a pooler. */
async function lockUpgrade(holder: pg.PoolClient): Promise<boolean> {
  await holder.query(beginForLong)
  // Without a parameter: that takes a portal, which stays with its snapshot until the transaction's next statement, and
  // CREATE INDEX CONCURRENTLY waits for every older snapshot.
  const { rows } = await holder.query<{ ours: boolean }>(
    `SELECT pg_try_advisory_xact_lock(${lockKey}) AS ours`,
  )
  return rows[0]?.ours === true
}

/** What changes tables that are in use, in a transaction. */
const altering = (client: pg.PoolClient, statement: string, isWanted = async () => true): Promise<void> =>
  untilUnlocked(async () => {
    try {
      await client.query(`BEGIN; ${lockTimeout}`)
      if (await isWanted()) await client.query(statement)
      await client.query('COMMIT')
    } catch (error) {
      await client.query('ROLLBACK')
      throw error
    }
  })

/** The lock may have taken long: an older process that has come meanwhile keeps what it needs. */
const requireKeys = (client: pg.PoolClient): Promise<void> =>
  altering(client, 'SELECT require_event_keys()', async () => {
    await client.query('LOCK TABLE events IN ACCESS EXCLUSIVE MODE')
    return (await readKeysState(client)).older.length === 0
  })

/** Has PostgreSQL look at every event, and refuse events without a key from then on. */
async function check(client: pg.PoolClient, onBegin: () => void): Promise<void> {
  const { rows } = await client.query<{ convalidated: boolean }>(
    `SELECT convalidated FROM pg_constraint WHERE conrelid = 'events'::regclass AND conname = 'events_have_keys'`,
  )
  if (rows[0]?.convalidated) return
  onBegin()
  if (rows.length === 0) {
    await altering(
      client,
      `ALTER TABLE events ADD CONSTRAINT events_have_keys
        CHECK (event_key IS NOT NULL AND content_tag IS NOT NULL) NOT VALID`,
    )
  }
  await client.query('ALTER TABLE events VALIDATE CONSTRAINT events_have_keys').catch((error: unknown) => {
    if (!(error instanceof pg.DatabaseError && error.code === checkViolation)) throw error
    throw new StoreUnavailable('there are events without a key, so the log goes on without keys', {
      cause: error,
    })
  })
}

async function index(client: pg.PoolClient, onBegin: () => void): Promise<void> {
  const { rows } = await client.query<{ valid: boolean }>(
    `SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass('events_key_unique')`,
  )
  if (rows[0]?.valid) return
  onBegin()
  // What a run that was killed has left: nobody looks there, and it costs every insert.
  if (rows.length > 0) await client.query('DROP INDEX CONCURRENTLY events_key_unique')
  await client.query('CREATE UNIQUE INDEX CONCURRENTLY events_key_unique ON events (event_key)')
}
