import { type Server, urlVariables } from './variables.ts'

/** The table: what a server, a socket or TLS says, by what it is matched, what it means and what to do about it. */

/** `word` names what comes without a code; without a word it is that nobody answered. */
type Row = readonly [matches: RegExp, what: string, remedy: string, word?: string]

/** Matched against Redis's reply, which begins with a word in capitals. https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors */
const redisRows: readonly Row[] = [
  [
    /^SENTINEL_SILENT /,
    'no Sentinel of those that REDIS_URL names answers',
    'start them, or correct their hosts in REDIS_URL',
  ],
  [
    /^SENTINEL_UNKNOWN_NAME /,
    'the Sentinels know no primary by the name in REDIS_URL',
    'correct what stands behind its slash; SENTINEL MASTERS lists the names that they know',
  ],
  [
    /^SENTINEL_LOGIN /,
    'the Sentinels refuse the user or the password',
    'correct sentinel_user and sentinel_password in REDIS_URL: …/NAME?sentinel_user=…&sentinel_password=…',
  ],
  [
    /^SENTINEL_BEHIND /,
    'the Redis that the Sentinels name is not the primary (yet)',
    'wait until the failover is over; SENTINEL MASTER with the name shows how far it is',
  ],
  [
    /^OOM /,
    'Redis is full and refuses writes',
    'see what is in flight: start consumers if none stores it, or raise maxmemory',
  ],
  [
    /^MISCONF /,
    'Redis refuses writes because it could not write to its disk',
    'make room on its disk, and see its log',
  ],
  [/^READONLY /, 'Redis is a replica and takes no writes', 'point REDIS_URL at the primary'],
  [
    /^NOREPLICAS /,
    'Redis refuses writes because too few replicas follow it',
    'bring its replicas back, or lower min-replicas-to-write',
  ],
  [/^NOAUTH /, 'Redis asks for a password', 'put it into REDIS_URL: redis://user:password@host:port'],
  [
    /^(WRONGPASS |ERR invalid password)/,
    'Redis refuses the user or the password',
    'correct them in REDIS_URL',
  ],
  [
    /^ERR AUTH .*without any password configured/,
    'Redis has no password and is given one',
    'take it out of REDIS_URL, or set requirepass',
  ],
  [
    /^NOPERM /,
    'Redis does not allow a command to this user',
    'allow it with ACL SETUSER; infra/docker/redis.sh lists what each role needs',
  ],
  [
    /^DENIED /,
    'Redis is in protected mode and takes only local clients',
    'set a password, or bind its address',
  ],
  [/^(LOADING|BUSYLOADING) /, 'Redis is loading its data', 'wait until it has'],
  [/^MASTERDOWN /, 'Redis is a replica that has lost its primary', 'point REDIS_URL at the primary'],
  [
    /^(CLUSTERDOWN|MOVED|ASK|CROSSSLOT|TRYAGAIN) /,
    'Redis is a node of a Cluster, which Sekali does not support',
    'point REDIS_URL at a Redis of its own, with cluster-enabled no',
  ],
  [/^ERR max number of clients/, 'Redis has no connection left', 'raise its maxclients, or see CLIENT LIST'],
  [/^(BUSY|UNKILLABLE) /, 'Redis is held up by a script', 'wait, or end it with SCRIPT KILL'],
  [
    /^ERR unknown command/,
    'what answers does not know the commands of a Redis (a Sentinel or a proxy, or commands were renamed)',
    'point REDIS_URL at the primary itself, with its commands as they are, or name Sentinels: redis+sentinel://HOST:PORT/NAME',
  ],
]

/** Matched against SQLSTATE and message. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const postgresRows: readonly Row[] = [
  [
    /^08P01 .*startup parameter/i,
    'PostgreSQL is behind a pooler that refuses startup parameters',
    'point DATABASE_URL at PostgreSQL itself; ignore_startup_parameters of PgBouncer would only drop the timeouts that turns need',
  ],
  [
    /^08P01 .*statement pooling/i,
    'PostgreSQL is behind a pooler in statement mode, in which there are no transactions',
    'set its pool_mode to transaction or session',
  ],
  [
    /^08P01 /,
    'what answers is a pooler, or no PostgreSQL: it breaks the protocol',
    'point DATABASE_URL at PostgreSQL itself',
  ],
  [
    /^26000 |^42P05 /,
    'PostgreSQL is behind a pooler that gives a transaction more than one session',
    'set its pool_mode to transaction or session',
  ],
  [
    /^NO_PRIMARY /,
    'none of the hosts of PostgreSQL is a primary that answers',
    'promote a standby, or start the primary; the log says what each host of DATABASE_URL did',
  ],
  [
    /^OLD_PRIMARY /,
    'PostgreSQL is an old primary: a standby of it was promoted, and it goes on by itself',
    'stop it, and bring it back as a standby (pg_rewind); point DATABASE_URL at the new primary, or at both',
  ],
  [/^28P01 /, 'PostgreSQL refuses the user or the password', 'correct them in DATABASE_URL'],
  [
    /^28000 /,
    'PostgreSQL does not let this user in',
    'create the role, allow it in pg_hba.conf, or add ?sslmode=verify-full to DATABASE_URL',
  ],
  [/^3D000 /, 'the database does not exist', 'create it, or correct its name in DATABASE_URL'],
  [
    /^(42P01|3F000|42703|42883) /,
    'the tables are missing or older than this version',
    'run node apps/consumer/src/migrate.ts, or restart npm start',
  ],
  [
    /^(42P07|42P06|42710|42723) /,
    'the database has a table, or something else, of a name that Sekali needs, which Sekali has not made',
    'give Sekali a database of its own: CREATE DATABASE sekali, and name that in DATABASE_URL',
  ],
  [
    /^42501 /,
    'this user may not do that in PostgreSQL',
    'grant it what its role needs; infra/docker shows what that is',
  ],
  [
    /^53300 /,
    'PostgreSQL has no connection left',
    'raise max_connections, or see in pg_stat_activity who holds so many',
  ],
  [/^53100 /, 'the disk of PostgreSQL is full', 'make room on it'],
  [/^53200 /, 'PostgreSQL is out of memory', 'see its log, and lower its settings of memory'],
  [/^57P03 /, 'PostgreSQL is starting up, or recovering', 'wait until it has'],
  [/^57P0[12] /, 'PostgreSQL was stopped or has crashed', 'start it; if it restarts by itself, see its log'],
  [/^57014 /, 'PostgreSQL took longer than a statement may', 'see in pg_stat_activity what holds it up'],
  [
    /^25006 /,
    'PostgreSQL is read-only: a replica, or set so',
    'point DATABASE_URL at the primary; see default_transaction_read_only',
  ],
  [
    /does not support SSL/i,
    'DATABASE_URL asks for TLS, and PostgreSQL has none',
    'take sslmode out of DATABASE_URL, or set ssl = on in PostgreSQL',
    'no TLS',
  ],
  [
    /SASL|client password must be a string/,
    'PostgreSQL asks for a password',
    'put it into DATABASE_URL',
    'no password',
  ],
  [
    /^(ENOENT|EACCES|EISDIR) .*, (open|read)\b/,
    'a file that DATABASE_URL names cannot be read',
    'correct sslrootcert, sslcert or sslkey there, and let the process read the file',
  ],
]

export const rowsOf = { Redis: redisRows, PostgreSQL: postgresRows } as const

/** Where it is required, Redis ends a connection without one, often before its reason has arrived. */
const noClientCertificate = 'set its tls-auth-clients to no: Sekali has no certificate of its own'

/** What a socket or TLS says, of either server. */
export const socketRows = (server: Server): readonly Row[] => {
  const url = urlVariables[server]
  const seeUrl = `start it, or see whether ${url} leads to it`
  return [
    [/^(ECONNREFUSED|ENOENT) /, `nothing listens where ${server} should be`, seeUrl],
    [
      /^(ENOTFOUND|EAI_AGAIN) /,
      `the name of ${server}'s host is not known`,
      `correct the host in ${url}, or start what has that name`,
    ],
    [
      /^(EHOSTUNREACH|ENETUNREACH) /,
      `there is no way to ${server}`,
      `see the network, and the host in ${url}`,
    ],
    [
      /^ETIMEDOUT |timeout exceeded when trying to connect/,
      `${server} does not answer in time`,
      server === 'Redis'
        ? 'see whether it hangs, and whether REDIS_URL leads to it; rediss:// is for one that listens for TLS'
        : 'see whether it hangs, and whether DATABASE_URL leads to it',
    ],
    [
      /^(ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG|EPROTO) /,
      `${url} asks for TLS, and what answers does not speak it`,
      server === 'Redis' ? 'use redis:// instead of rediss://' : `take sslmode out of ${url}`,
    ],
    [
      /^ERR_TLS_CERT_ALTNAME_INVALID /,
      `the certificate of ${server} is for another name`,
      `use a name that it has as the host in ${url}`,
    ],
    [
      /^CERT_(HAS_EXPIRED|NOT_YET_VALID) /,
      `the certificate of ${server} has expired, or is not valid yet`,
      'renew it, and see the clocks of both machines',
    ],
    [
      /^ERR_SSL_\w*CERTIFICATE_REQUIRED /,
      `${server} wants a certificate of its clients`,
      server === 'Redis' ? noClientCertificate : `name one in ${url}, with sslcert and sslkey`,
    ],
    [
      /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_\w+|ERR_TLS_\w+|ERR_SSL_\w+) /,
      `the certificate of ${server} is not trusted`,
      'give the process its authority with NODE_EXTRA_CA_CERTS' +
        (server === 'PostgreSQL' ? `, or with sslrootcert in ${url}` : ''),
    ],
    [
      /^(ECONNRESET|EPIPE) |Connection is closed|Connection terminated|Connection ended/,
      `${server} closes the connection`,
      server === 'Redis'
        ? `see its log; if it listens for TLS, use rediss:// in REDIS_URL, and ${noClientCertificate}`
        : 'see its log, and whether DATABASE_URL leads to it',
      'closed',
    ],
  ]
}
