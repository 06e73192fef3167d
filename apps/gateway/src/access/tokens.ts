/**
 * Tokens (JWT, RFC 7519) of an issuer that the operator names. `jose` verifies them: it is what Node's OpenID clients use,
 * has no dependency, and takes no algorithm that is not listed. It is loaded only where there is an issuer.
 */
import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Grant, type Scope, scopes } from '@sekali/core/access'
import { InvalidConfig, SekaliError } from '@sekali/core/errors'
import { Source } from '@sekali/core/event'
import { parsePattern, TopicPatternText } from '@sekali/core/pattern'
import type { Logger } from '@sekali/process/log'
import type { JSONWebKeySet, JWTPayload, JWTVerifyGetKey } from 'jose'
import * as v from 'valibot'

export interface TokenOptions {
  readonly issuer: string
  readonly audience: string
  /** Where the issuer's public keys are: an address, or a file. */
  readonly jwks: { readonly url: string } | { readonly file: string }
  readonly algorithms?: readonly string[]
  /** What the issuer writes before publish, read, work and admin in `scope`. */
  readonly scopePrefix?: string
}

interface Token {
  readonly grant: Grant
  /** In milliseconds since 1970. */
  readonly expiresAtMs: number
}

/** Verifies a token. Rejects with `BadToken` or `IssuerUnavailable`. */
export type Tokens = (text: string) => Promise<Token>

/** A token that is not taken. The message is for its holder. */
export class BadToken extends SekaliError {
  readonly code = 'unauthorized'
  readonly retryable = false
}

/** The issuer's keys cannot be read now, so nobody knows whether a token is good. */
class IssuerUnavailable extends SekaliError {
  readonly code = 'issuer_unavailable'
  readonly retryable = true
}

/** Signatures that a public key verifies. With HS256 whoever knows that key could sign. */
export const asymmetric = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
] as const

const clockToleranceSeconds = 30
const jwksMs = 3_000

/** Throws `InvalidConfig` if the file is none of keys, or has one that is too weak. */
export function createTokens(options: TokenOptions, log?: Pick<Logger, 'warn'>): Tokens {
  const { issuer, audience, jwks, algorithms = asymmetric, scopePrefix = '' } = options
  const local = 'file' in jwks ? readKeys(jwks.file) : undefined
  const loaded = import('jose').then((jose) => {
    const keys: JWTVerifyGetKey =
      'url' in jwks
        ? jose.createRemoteJWKSet(new URL(jwks.url), { timeoutDuration: jwksMs })
        : jose.createLocalJWKSet(local ?? { keys: [] })
    return { jose, keys: marked(keys) }
  })
  let isWarned = false
  const onUnusable = (err: unknown) => {
    if (!isWarned) log?.warn({ err }, 'a key of the issuer cannot verify tokens')
    isWarned = true
  }
  loaded.catch(() => undefined) // whoever verifies gets it
  return async (text) => {
    const { jose, keys } = await loaded
    const { payload } = await jose
      .jwtVerify(text, keys, {
        issuer,
        audience,
        algorithms: [...algorithms],
        requiredClaims: ['exp'],
        clockTolerance: clockToleranceSeconds,
      })
      .catch((error: unknown) => {
        throw failureOf(error, onUnusable)
      })
    return tokenOf(payload, scopePrefix)
  }
}

/** What fails while the keys are read, and is nothing about the token, is the issuer's. */
function marked(keys: JWTVerifyGetKey): JWTVerifyGetKey {
  return async (...args) => {
    try {
      return await keys(...args)
    } catch (error) {
      if (reasonIn(error) !== undefined) throw error
      throw new IssuerUnavailable('the keys of the issuer cannot be read', { cause: error })
    }
  }
}

const Keys = v.object({ keys: v.array(v.looseObject({ kty: v.string() })) })

function readKeys(file: string): JSONWebKeySet {
  let parsed: unknown
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new InvalidConfig('JWT_JWKS_FILE: cannot be read as JSON', { cause })
  }
  if (!v.is(Keys, parsed)) {
    throw new InvalidConfig('JWT_JWKS_FILE: must be a JSON object with keys, as RFC 7517 has it')
  }
  for (const [index, key] of parsed.keys.entries()) {
    if (isWeak(key)) {
      throw new InvalidConfig(`JWT_JWKS_FILE: keys[${index}] must have at least ${rsaBitsMin} bits`)
    }
  }
  return parsed
}

/** RFC 7518, 3.3. With fewer `jose` refuses to verify. */
const rsaBitsMin = 2_048

function isWeak(key: JsonWebKey): boolean {
  if (key.kty !== 'RSA' || key.use === 'enc') return false
  try {
    const { modulusLength = 0 } = createPublicKey({ key, format: 'jwk' }).asymmetricKeyDetails ?? {}
    return modulusLength < rsaBitsMin
  } catch (cause) {
    throw new InvalidConfig('JWT_JWKS_FILE: has an RSA key that is none', { cause })
  }
}

const reasonIn = (error: unknown): string | undefined => {
  const { code } = error as { readonly code?: unknown }
  return typeof code === 'string' ? reasons[code] : undefined
}

/** In words of ours, by jose's codes: its messages may quote the token. A key that it cannot use is no fault of its own. */
function failureOf(error: unknown, onUnusable: (error: unknown) => void): SekaliError {
  if (error instanceof IssuerUnavailable) return error
  const { code, claim } = error as { readonly code?: unknown; readonly claim?: unknown }
  if (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED') {
    return new BadToken(
      `The token is not valid here: ${String(claim)} ${claimRules[String(claim)] ?? 'does not fit'}.`,
    )
  }
  const words = reasonIn(error)
  if (words === undefined) onUnusable(error)
  return new BadToken(words ?? 'The key of the issuer that this token names cannot verify it.')
}

const claimRules: Readonly<Record<string, string>> = {
  iss: 'must be the issuer that this gateway trusts (JWT_ISSUER)',
  aud: 'must be this gateway (JWT_AUDIENCE)',
  exp: 'must be there, as a time',
  nbf: 'is still to come',
}

const noToken = 'This is no token that this gateway can read.'
const reasons: Readonly<Record<string, string>> = {
  ERR_JWT_EXPIRED: 'The token has expired.',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'The token is not signed by a key of the issuer.',
  ERR_JWKS_NO_MATCHING_KEY: 'The token is not signed by a key of the issuer.',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'Several keys of the issuer fit: the token must name its own (kid).',
  ERR_JOSE_ALG_NOT_ALLOWED: 'The token is signed with an algorithm that is not taken (JWT_ALGORITHMS).',
  ERR_JOSE_NOT_SUPPORTED: noToken,
  ERR_JWS_INVALID: noToken,
  ERR_JWT_INVALID: noToken,
}

/** The last second that a `Date` can be. */
const timeMax = 8.64e12

const Claims = v.object({
  exp: v.pipe(v.number(), v.maxValue(timeMax)),
  sub: v.optional(v.string()),
  scope: v.optional(v.string(), ''),
  sekali_topics: v.optional(v.pipe(v.array(TopicPatternText), v.maxLength(100)), []),
  sekali_source: v.optional(Source),
})

const holderCharsMax = 128

function tokenOf(payload: JWTPayload, scopePrefix: string): Token {
  const parsed = v.safeParse(Claims, payload)
  if (!parsed.success) {
    const [name = 'a claim'] = parsed.issues.map((issue) => String(issue.path?.[0]?.key))
    throw new BadToken(`The token is not valid here: ${name} is not what docs/http-api.md says of it.`)
  }
  const { exp, sub = '', scope, sekali_topics, sekali_source } = parsed.output
  const named = new Set(scope.split(' '))
  const granted = scopes.filter((one: Scope) => named.has(scopePrefix + one))
  if (granted.includes('admin') && sub === '') {
    throw new BadToken('The token is not valid here: sub must be there for admin.') // the audit log names it
  }
  return {
    expiresAtMs: (exp + clockToleranceSeconds) * 1_000,
    grant: {
      holder: `jwt:${written(sub)}`,
      scopes: granted,
      topics: sekali_topics.map(parsePattern),
      ...(sekali_source !== undefined && { source: sekali_source }),
    },
  }
}

/** In ASCII, and so that no two are written alike. */
const written = (sub: string): string =>
  sub
    .toWellFormed()
    .replace(/[^\x20-\x7e]+|%/g, encodeURIComponent)
    .slice(0, holderCharsMax)
