import { execFileSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startPostgres } from '@sekali/servers/postgres-server'
import type { Server } from '@sekali/servers/server'
import { eventually } from './eventually.ts'
import { ownFolder } from './servers.ts'
import { makeTemplate, run } from './template.ts'

/** One of two PostgreSQL servers that have the same system identifier. */
interface Node {
  /** Of the database that is given out as one's own. */
  readonly url: string
  readonly host: string
  /** kill -9, and wait until it is gone. */
  kill(): Promise<void>
  /** The same data and port again: a primary that was killed comes back as one, whatever has become of the other. */
  start(): Promise<void>
}

export interface Replicated extends AsyncDisposable {
  readonly primary: Node
  /** A hot standby, which streams. */
  readonly standby: Node
  /** A URL with both. */
  readonly url: string
  /** Makes the standby a primary, on another timeline. */
  promote(): Promise<void>
  /** Waits until the standby has all that the primary has committed. */
  caughtUp(): Promise<void>
  /** The primary lets nobody replicate any more: from now on the standby lags. */
  lag(): Promise<void>
}

/**
 * A primary and its standby, with an empty log. The standby's data are a copy of the primary's files, made while that is down.
 * Where they are `synchronous`, a commit waits until the standby has it.
 */
export async function ownReplicated({ synchronous = false } = {}): Promise<Replicated> {
  const folder = await ownFolder()
  const dirs = ['one', 'two'].map((name) => join(folder.path, name)) as [string, string]
  const first = await startPostgres({ dir: dirs[0] })
  await makeTemplate(first.url)
  await run(first.url, 'CREATE DATABASE sekali TEMPLATE template_sekali')
  await first.stop()
  await mkdir(dirs[1], { mode: 0o700 })
  for (const name of ['data', 'password']) execFileSync('cp', ['-a', join(dirs[0], name), dirs[1]])
  // As the others, so that the promotion may remove it.
  execFileSync('cp', ['-a', join(dirs[1], 'data', 'PG_VERSION'), join(dirs[1], 'data', 'standby.signal')])
  const one = await launch(dirs[0], first.port, {})
  const { username, password } = new URL(one.server().url)
  const source = `host=127.0.0.1 port=${first.port} user=${username} password=${password}`
  const two = await launch(dirs[1], undefined, { primary_conninfo: source })
  // Not among the settings of the start: a primary that has been left alone would wait for ever.
  if (synchronous) {
    await run(one.server().url, "ALTER SYSTEM SET synchronous_standby_names = '*'")
    await run(one.server().url, 'SELECT pg_reload_conf()')
  }
  return {
    primary: one,
    standby: two,
    url: one.url.replace(one.host, `${one.host},${two.host}`),
    promote: () => run(two.server().url, 'SELECT pg_promote()'),
    caughtUp: async () => {
      await run(
        one.server().url,
        // Ends with its answer, or by the timeout of the connection.
        `DO $$ BEGIN WHILE EXISTS (SELECT FROM pg_stat_replication WHERE replay_lsn < pg_current_wal_lsn())
           OR NOT EXISTS (SELECT FROM pg_stat_replication) LOOP
           PERFORM pg_sleep(0.01), pg_stat_clear_snapshot(); END LOOP; END $$`,
      )
    },
    lag: async () => {
      const file = join(dirs[0], 'data', 'pg_hba.conf')
      await writeFile(file, `host replication all all reject\n${await readFile(file, 'utf8')}`)
      await run(one.server().url, 'SELECT pg_reload_conf()')
      await eventually(async () => {
        await run(one.server().url, 'SELECT pg_terminate_backend(pid) FROM pg_stat_replication')
        await run(
          one.server().url,
          // An error, while there is one.
          'SELECT 1 / (SELECT (count(*) = 0)::integer FROM pg_stat_replication)',
        )
      })
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([one, two].map((node) => node.server().stop()))
      await folder[Symbol.asyncDispose]()
    },
  }
}

async function launch(dir: string, port: number | undefined, settings: Record<string, string>) {
  let server: Server = await startPostgres({ dir, settings, ...(port !== undefined && { port }) })
  const own = server.port
  const url = new URL(server.url)
  url.pathname = '/sekali'
  return {
    url: url.href,
    host: url.host,
    server: () => server,
    kill: async () => {
      server.kill('SIGKILL')
      await server.exited
    },
    start: async () => {
      server = await startPostgres({ dir, settings, port: own })
    },
  }
}
