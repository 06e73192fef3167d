/**
 * A copy of a whole PostgreSQL while it runs, taken as pg_basebackup takes it: its files as they are, one after the other, and
 * with them the write-ahead log of that time, which makes all of them the files of one moment when a server starts on them.
 * A slot keeps PostgreSQL from deleting that log meanwhile; it is the connection's and ends with it.
 * https://www.postgresql.org/docs/current/protocol-replication.html#PROTOCOL-REPLICATION-BASE-BACKUP
 */
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import type pg from 'pg'
import { asStoreError } from '../postgres/errors.ts'
import { withOwnClient } from '../postgres/own-client.ts'

export interface BaseBackup {
  /** Of all files, about: they grow meanwhile, and the write-ahead log comes on top. */
  readonly bytes: number
  /** The files as a tar archive, with paths from the data folder. It errs if PostgreSQL does not give all of them. */
  readonly tar: Readable
}

const what = 'the backup'

/**
 * Runs `work` with a copy, and resolves with its result. The role must be a superuser, or have REPLICATION. Rejects with
 * `StoreUnavailable`, or with the error of `work`, after which nothing is left on the server.
 */
export async function withBaseBackup<T>(url: string, work: (backup: BaseBackup) => Promise<T>): Promise<T> {
  const asReplica = new URL(url)
  asReplica.searchParams.set('replication', 'true')
  const outcome = await withOwnClient(asReplica.href, what, async (client) => {
    const slot = `sekali_backup_${randomBytes(8).toString('hex')}` // two backups may run at once
    await client.query(`CREATE_REPLICATION_SLOT ${slot} TEMPORARY PHYSICAL (RESERVE_WAL)`)
    const backup = await copyOut(client)
    // An error of a file must not be taken for one of the server.
    return await work(backup).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    )
  })
  if ('error' in outcome) throw outcome.error
  return outcome.value
}

/** What its types leave out of pg's connection. */
interface CopyConnection {
  readonly stream: { pause(): void; resume(): void }
}

/** The first byte of each message says what it has. Of progress and of a manifest, which is not asked for, nothing is used. */
const kinds = { archive: 'n'.charCodeAt(0), data: 'd'.charCodeAt(0) } as const

/** The command as pg runs queries that are not its own. Resolves once the first file comes. */
function copyOut(client: pg.PoolClient): Promise<BaseBackup> {
  const { promise, resolve, reject } = Promise.withResolvers<BaseBackup>()
  let stream: CopyConnection['stream'] | undefined
  const tar = new Readable({ read: () => stream?.resume() })
  let answers = 0
  let bytes = 0
  let archives = 0
  const fail = (error: unknown) => {
    const failure = asStoreError(error, what)
    tar.once('error', () => undefined) // whoever reads it gets it as well
    tar.destroy(failure)
    reject(failure)
  }
  const query = {
    submit: (connection: pg.Connection) => {
      stream = (connection as pg.Connection & CopyConnection).stream
      connection.query("BASE_BACKUP (LABEL 'sekali', CHECKPOINT 'fast', WAL, PROGRESS, MANIFEST 'no')")
    },
    handleRowDescription: () => {
      answers += 1
    },
    /** The second answer has a row for each tablespace: its oid, its path, its kilobytes. */
    handleDataRow: ({ fields }: { readonly fields: readonly (string | null)[] }) => {
      if (answers === 2) bytes += Number(fields[2]) * 1_024
    },
    handleCopyData: ({ chunk }: { readonly chunk: Buffer }) => {
      if (chunk[0] === kinds.archive) {
        archives += 1
        if (archives === 1) resolve({ bytes, tar })
        else fail(new Error('PostgreSQL has tablespaces outside of its folder'))
      } else if (chunk[0] === kinds.data) {
        // A copy: pg writes the next message over this one.
        if (!tar.push(Buffer.from(chunk.subarray(1)))) stream?.pause()
      }
    },
    handleCommandComplete: () => {},
    handleReadyForQuery: () => {
      query.callback()
      tar.push(null)
    },
    handleError: (error: Error) => {
      query.callback()
      fail(error)
    },
    /** pg may put a timeout around this one, so it must be called. */
    callback: () => {},
  }
  client.query(query)
  return promise
}

/** What a backup has, for people who look at it and for the version that restores it. */
export interface BackupFacts {
  /** PostgreSQL's version, such as `18.4`. */
  readonly postgres: string
  /** When the newest migration was made that the tables have had; milliseconds since 1970. */
  readonly schema: number
  readonly topics: number
  readonly events: number
}

/** Reads them now: the log only grows, so a backup that begins later has at least as many. */
export const readBackupFacts = (url: string): Promise<BackupFacts> =>
  withOwnClient(url, what, async (client) => {
    const { rows } = await client.query<{
      postgres: string
      schema: string
      topics: string
      events: string
    }>(`
      SELECT current_setting('server_version') AS postgres, count(*) AS topics, coalesce(sum(head), 0) AS events,
        (SELECT max(created_at) FROM drizzle.__drizzle_migrations) AS schema
      FROM topics`)
    const { postgres = '', schema, topics, events } = rows[0] ?? {}
    return { postgres, schema: Number(schema), topics: Number(topics), events: Number(events) }
  })
