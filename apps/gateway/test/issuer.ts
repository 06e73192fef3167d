/** An issuer of tokens: signs them, and serves its public keys over HTTP. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'

export interface Signing {
  readonly alg?: string
  readonly kid?: string
  readonly issuer?: string
  readonly audience?: string | readonly string[]
  /** As jose writes it, `5m` for instance; none: without exp. */
  readonly expires?: string | undefined
}

/** `others` are published beside its own keys. */
export async function startIssuer(others: readonly object[] = []) {
  const algorithms = ['RS256', 'ES256', 'EdDSA'] as const
  const pairs = await Promise.all(
    algorithms.map(async (alg) => ({ alg, kid: `k-${alg}`, ...(await generateKeyPair(alg)) })),
  )
  const stranger = await generateKeyPair('ES256')
  const keys = await Promise.all(
    pairs.map(async ({ alg, kid, publicKey }) => ({ ...(await exportJWK(publicKey)), alg, kid, use: 'sig' })),
  )
  let asked = 0
  let isAway = false
  const server = createServer((_, response) => {
    asked += 1
    if (isAway) response.writeHead(500).end()
    else
      response
        .setHeader('Content-Type', 'application/json')
        .end(JSON.stringify({ keys: [...keys, ...others] }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
  const name = 'https://issuer.example'
  return {
    url,
    name,
    keys,
    asked: () => asked,
    setAway(away: boolean) {
      isAway = away
    },
    async sign(claims: JWTPayload, signing: Signing = {}): Promise<string> {
      const { alg = 'ES256', kid = `k-${alg}`, issuer = name, audience = 'sekali' } = signing
      const { expires = '5m' } = 'expires' in signing ? signing : { expires: '5m' }
      const key =
        kid === 'stranger' ? stranger.privateKey : pairs.find((pair) => pair.alg === alg)?.privateKey
      const token = new SignJWT(claims).setProtectedHeader({ alg, kid }).setIssuer(issuer)
      if (audience !== '') token.setAudience(audience as string)
      if (signing.expires !== undefined || !('expires' in signing)) token.setExpirationTime(expires)
      return await token.sign(key ?? stranger.privateKey)
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
