import { connectStore, type Store } from '@sekali/store/connect'
import { quiet } from '../quiet.ts'
import { urlOf } from '../template.ts'

export interface Backup {
  /** Puts the database back to what it was, as often as wanted. */
  restore(): Promise<void>
}

const tables = ['topics', 'forks', 'events', 'spans', 'conflicts', 'entry_ids', 'dead_letters']
const numbered = ['topics', 'conflicts', 'dead_letters']

/** A copy of the rows of a small log, within its database. Sessions go on. */
export async function keepRows({ pool }: Store): Promise<Backup> {
  const schema = `backup_${backups++}`
  const last = numbered.map((name) => `SELECT '${name}' AS name, last_value, is_called FROM ${name}_id_seq`)
  await pool.query(
    [
      `CREATE SCHEMA ${schema}`,
      ...tables.map((name) => `CREATE TABLE ${schema}.${name} AS TABLE public.${name}`),
      `CREATE TABLE ${schema}.last AS ${last.join(' UNION ALL ')}`,
    ].join('; '),
  )
  const put = tables.map(
    (name) => `INSERT INTO public.${name} OVERRIDING SYSTEM VALUE SELECT * FROM ${schema}.${name}`,
  )
  const restore = [
    `TRUNCATE ${tables.join(', ')}`,
    ...put,
    `SELECT setval(format('public.%I', name || '_id_seq'), last_value, is_called) FROM ${schema}.last`,
  ]
  return { restore: async () => void (await pool.query(restore.join('; '))) }
}

/**
 * A copy of the database, gone at the end of the scope, with a URL for who wants two that were one. To make and to restore it
 * ends the sessions of all.
 */
export async function backUp(url: string): Promise<Backup & AsyncDisposable & { readonly url: string }> {
  const name = new URL(url).pathname.slice(1)
  const backup = `${name}_${backups++}`
  const serverUrl = urlOf(url, 'postgres')
  await onServer(serverUrl, copied(name, backup))
  return {
    url: urlOf(url, backup),
    restore: () => onServer(serverUrl, [`DROP DATABASE ${name} WITH (FORCE)`, ...copied(backup, name)]),
    [Symbol.asyncDispose]: () => onServer(serverUrl, [`DROP DATABASE ${backup} WITH (FORCE)`]),
  }
}

let backups = 1

/** PostgreSQL copies a database to which nobody is connected. */
const copied = (from: string, to: string): string[] => [
  `ALTER DATABASE ${from} ALLOW_CONNECTIONS false`,
  `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '${from}'`,
  `CREATE DATABASE ${to} TEMPLATE ${from}`,
  `ALTER DATABASE ${from} ALLOW_CONNECTIONS true`,
]

async function onServer(serverUrl: string, statements: readonly string[]): Promise<void> {
  await using server = connectStore({ url: serverUrl, poolMax: 1, name: 'testkit' }, quiet)
  for (const statement of statements) await server.pool.query(statement)
}
