/** Sentinels that speak TLS, and a Redis that does. */
import { startGateway } from '@sekali/testkit/app'
import { requireDebian } from '@sekali/testkit/debian'
import { ownSentinel } from '@sekali/testkit/impostors'
import { ownDatabase } from '@sekali/testkit/own'
import { ownFolder } from '@sekali/testkit/servers'
import { beforeAll, expect, test } from 'vitest'
import { eventBody, post } from '../test/gateway.ts'
import { createAuthority } from './certificates.ts'
import { ownTlsRedis } from './tls-redis.ts'

beforeAll(() => requireDebian('openssl'))

test('Sentinels and the Redis that they name are both asked over TLS', async () => {
  await using folder = await ownFolder()
  const authority = createAuthority(folder.path)
  const certificate = authority.sign('server', 'IP:127.0.0.1')
  await using redis = await ownTlsRedis(certificate, authority.ca)
  const { port, password } = new URL(redis.secure)
  await using sentinel = await ownSentinel({
    primaryPort: Number(port),
    tls: [
      `tls-cert-file ${certificate.cert}`,
      `tls-key-file ${certificate.key}`,
      `tls-ca-cert-file ${authority.ca}`,
      ...['tls-auth-clients no', 'tls-replication yes', `sentinel auth-pass main ${password}`],
    ],
  })
  await using database = await ownDatabase()
  await using gateway = await startGateway({
    REDIS_URL: `rediss+sentinel://default:${password}@127.0.0.1:${sentinel.port}/main`,
    DATABASE_URL: database.url,
    NODE_EXTRA_CA_CERTS: authority.ca,
  })
  const answer = await fetch(`${gateway.url}/publish`, post(eventBody()))
  expect(answer.status, gateway.output()).toBe(200)
  expect(gateway.output()).toContain(`"primary":"127.0.0.1:${port}"`)
})
