/** The servers that Sekali is tested with: of each line the newest that can be had. */

/** A Redis or Valkey, as Debian has it in one of its suites. */
export interface DebianServer {
  readonly name: string
  readonly program: 'redis-server' | 'valkey-server'
  readonly suite: string
}

/** A PostgreSQL, as npm has it: a version of the package that `npm start` takes its own from. */
export interface NpmServer {
  readonly name: string
  readonly version: string
}

export const redises: readonly DebianServer[] = [
  { name: 'Redis 7.0', program: 'redis-server', suite: 'bookworm' },
  { name: 'Redis 8.0', program: 'redis-server', suite: 'trixie' },
  { name: 'Valkey 8.0', program: 'valkey-server', suite: 'bookworm-backports' },
  { name: 'Valkey 8.1', program: 'valkey-server', suite: 'trixie' },
  { name: 'Valkey 9', program: 'valkey-server', suite: 'sid' },
]

export const postgreses: readonly NpmServer[] = [
  { name: 'PostgreSQL 15', version: '15.18.0-beta.17' },
  { name: 'PostgreSQL 16', version: '16.14.0-beta.17' },
  { name: 'PostgreSQL 17', version: '17.10.0-beta.17' },
  { name: 'PostgreSQL 18', version: '18.4.0-beta.17' },
]
