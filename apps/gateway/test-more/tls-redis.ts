import { freePort } from '@sekali/servers/free-port'
import { ownRedis } from '@sekali/testkit/servers'
import type { Certificate } from './certificates.ts'

export const withUrl = (url: string, changes: Partial<URL>): string =>
  Object.assign(new URL(url), changes).href

/** A Redis that listens for TLS beside its plain port, and what one sets on it. */
export async function ownTlsRedis({ cert, key }: Certificate, ca: string) {
  const port = String(await freePort())
  const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', ca]
  const redis = await ownRedis(['--tls-port', port, ...files, '--tls-auth-clients', 'no'])
  return Object.assign(redis, {
    secure: withUrl(redis.url, { protocol: 'rediss:', hostname: 'localhost', port }),
  })
}
