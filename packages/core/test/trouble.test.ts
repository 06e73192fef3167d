import { expect, test } from 'vitest'
import { StoreUnavailable } from '../src/errors.ts'
import { knownTrouble, sentenceOf, troubleIn, troubleOf } from '../src/trouble/trouble.ts'

const reply = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' })
const coded = (code: string, message = 'secret') =>
  Object.assign(new Error(message), { code, severity: 'FATAL' })

test.each([
  ["OOM command not allowed when used memory > 'maxmemory'.", 'OOM', /full.*maxmemory/],
  ['MISCONF Redis is configured to save RDB snapshots, but', 'MISCONF', /disk/],
  ["READONLY You can't write against a read only replica.", 'READONLY', /replica.*primary/],
  ['NOREPLICAS Not enough good replicas to write.', 'NOREPLICAS', /min-replicas-to-write/],
  ['NOAUTH Authentication required.', 'NOAUTH', /password.*REDIS_URL/],
  ['WRONGPASS invalid username-password pair or user is disabled.', 'WRONGPASS', /correct.*REDIS_URL/],
  ['NOPERM this user has no permissions to run the xadd command', 'NOPERM', /ACL SETUSER/],
  ['LOADING Redis is loading the dataset in memory', 'LOADING', /wait/],
  ['CLUSTERDOWN Hash slot not served', 'CLUSTERDOWN', /Cluster.*cluster-enabled no/],
  ['MOVED 3999 127.0.0.1:6381', 'MOVED', /Cluster/],
  ["ERR unknown command 'evalsha', with args beginning with: 'secret'", 'ERR', /Sentinel/],
  ['ERR max number of clients reached', 'ERR', /maxclients/],
])('Redis says %s', (message, code, words) => {
  const trouble = troubleOf('Redis', new StoreUnavailable('append failed', { cause: reply(message) }))
  expect(trouble.code).toBe(code)
  expect(sentenceOf(trouble)).toMatch(words)
  expect(sentenceOf(trouble)).not.toContain('secret')
  expect(troubleIn(reply(message))).toEqual(trouble)
})

test.each([
  [
    '08P01',
    'unsupported startup parameter: statement_timeout',
    /pooler that refuses startup parameters.*itself/,
  ],
  ['08P01', 'transaction blocks not allowed in statement pooling mode', /statement mode.*pool_mode/],
  ['08P01', 'invalid message format', /pooler, or no PostgreSQL/],
  ['26000', 'secret', /more than one session.*pool_mode/],
  ['28P01', 'secret', /password.*DATABASE_URL/],
  ['28000', 'secret', /pg_hba/],
  ['3D000', 'secret', /database does not exist/],
  ['42P01', 'secret', /tables.*migrate/],
  ['42501', 'secret', /grant/],
  ['53300', 'secret', /max_connections/],
  ['57P03', 'secret', /starting up.*wait/],
  ['25006', 'secret', /read-only.*primary/],
  ['53100', 'secret', /disk/],
])('PostgreSQL says %s, %s', (code, message, words) => {
  const wrapped = new Error('Failed query: secret', { cause: coded(code, message) })
  const trouble = troubleOf('PostgreSQL', wrapped)
  expect(trouble.code).toBe(code)
  expect(sentenceOf(trouble)).toMatch(words)
  expect(sentenceOf(trouble)).not.toContain('secret')
  expect(troubleIn(coded(code, message))).toEqual(trouble)
})

test.each([
  ['Redis', coded('ECONNREFUSED'), /nothing listens.*REDIS_URL/],
  ['PostgreSQL', new AggregateError([coded('ECONNREFUSED')]), /nothing listens.*DATABASE_URL/],
  ['PostgreSQL', coded('ENOTFOUND'), /host is not known.*DATABASE_URL/],
  ['Redis', coded('ERR_SSL_WRONG_VERSION_NUMBER'), /TLS.*redis:\/\/ instead/],
  ['Redis', coded('DEPTH_ZERO_SELF_SIGNED_CERT'), /certificate.*NODE_EXTRA_CA_CERTS/],
  ['PostgreSQL', coded('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), /not trusted.*NODE_EXTRA_CA_CERTS.*sslrootcert/],
  ['Redis', coded('ERR_TLS_CERT_ALTNAME_INVALID'), /another name.*REDIS_URL/],
  ['PostgreSQL', coded('CERT_HAS_EXPIRED'), /has expired.*renew/],
  [
    'Redis',
    coded('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'),
    /certificate of its clients.*tls-auth-clients/,
  ],
  [
    'PostgreSQL',
    coded('ENOENT', "ENOENT: no such file, open '/secret'"),
    /file that DATABASE_URL.*sslrootcert/,
  ],
  ['Redis', coded('ENOENT', 'connect ENOENT /secret'), /nothing listens.*REDIS_URL/],
  ['Redis', coded('ETIMEDOUT'), /in time.*rediss:\/\//],
  ['PostgreSQL', new Error('timeout exceeded when trying to connect'), /in time.*DATABASE_URL/],
  ['Redis', new Error('Connection is closed.'), /closes the connection.*rediss:\/\//],
  ['PostgreSQL', new Error('The server does not support SSL connections'), /asks for TLS.*sslmode/],
  ['PostgreSQL', new Error('Connection terminated unexpectedly'), /closes the connection/],
] as const)('of %s: %s', (server, error, words) => {
  expect(sentenceOf(troubleOf(server, error))).toMatch(words)
})

test('what is in no table is not explained, and whoever must say something says that there was no answer', () => {
  expect(knownTrouble('Redis', reply('ERR secret'))).toBeUndefined()
  expect(troubleIn(new Error('secret'))).toBeUndefined()
  expect(sentenceOf(troubleOf('Redis', undefined))).toMatch(/does not answer \(no answer\): start it/)
})

test.each([
  ['SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string', 'no password'],
  ['The server does not support SSL connections', 'no TLS'],
  ['Connection terminated unexpectedly', 'closed'],
  ['timeout exceeded when trying to connect', 'no answer'],
])('an error without a code, %s, has the word %s', (message, word) => {
  expect(troubleOf('PostgreSQL', new Error(message)).code).toBe(word)
})
