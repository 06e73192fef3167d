import { connectStore } from '@sekali/store/connect'
import { quiet } from '../quiet.ts'
import { urlOf } from '../template.ts'

export interface Backup extends AsyncDisposable {
  /** Puts the database back to what it was, as often as wanted. The sessions of whoever is connected end. */
  restore(): Promise<void>
}

/** A copy of the database as it is now, gone at the end of the scope. The sessions of whoever is connected end. */
export async function backUp(url: string): Promise<Backup> {
  const name = new URL(url).pathname.slice(1)
  const backup = `${name}_${backups++}`
  const serverUrl = urlOf(url, 'postgres')
  await onServer(serverUrl, copied(name, backup))
  return {
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
