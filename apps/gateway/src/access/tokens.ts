/**
 * Tokens (JWT, RFC 7519) of an issuer that the operator names. `jose` verifies them: it is what Node's OpenID clients use,
 * has no dependency, and takes no algorithm that is not listed. It is loaded only where there is an issuer.
 */
import { readFileSync } from 'node:fs'
import { type Grant, type Scope, scopes } from '@sekali/core/access'
import { InvalidConfig, SekaliError } from '@sekali/core/errors'
import { Source } from '@sekali/core/event'
import { parsePattern, TopicPatternText } from '@sekali/core/pattern'
import type { JSONWebKeySet, JWTPayload, JWTVerifyGetKey } from 'jose'
import * as v from 'valibot'

export interface TokenOptions {
  readonly issuer: string
  readonly audience: string
  /** Where the issuer's public keys are: an address, or a file. */
  readonly jwks: { readonly url: string } | { readonly file: string }
  readonly algorithms?: readonly string[]
  /** What the issuer writes before publish, read and admin in `scope`. */
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

/** Throws `InvalidConfig` if the file is none of keys. */
export function createTokens(options: TokenOptions): Tokens {
  const { issuer, audience, jwks, algorithms = asymmetric, scopePrefix = '' } = options
  const local = 'file' in jwks ? readKeys(jwks.file) : undefined
  const loaded = import('jose').then((jose) => {
    const keys: JWTVerifyGetKey =
      'url' in jwks
        ? jose.createRemoteJWKSet(new URL(jwks.url), { timeoutDuration: jwksMs })
        : jose.createLocalJWKSet(local ?? { keys: [] })
    return { jose, keys }
  })
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
        throw failureOf(error)
      })
    return tokenOf(payload, scopePrefix)
  }
}

function readKeys(file: string): JSONWebKeySet {
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (v.is(v.object({ keys: v.array(v.looseObject({ kty: v.string() })) }), parsed)) return parsed
  } catch (cause) {
    throw new InvalidConfig('JWT_JWKS_FILE: cannot be read as JSON', { cause })
  }
  throw new InvalidConfig('JWT_JWKS_FILE: must be a JSON object with keys, as RFC 7517 has it')
}

/** In words of ours, by jose's codes: its messages may quote the token. */
function failureOf(error: unknown): SekaliError {
  const { code, claim } = error as { readonly code?: unknown; readonly claim?: unknown }
  if (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED') {
    return new BadToken(
      `The token is not valid here: ${String(claim)} ${claimRules[String(claim)] ?? 'does not fit'}.`,
    )
  }
  const words = typeof code === 'string' ? reasons[code] : undefined
  return words === undefined
    ? new IssuerUnavailable('the keys of the issuer cannot be read', { cause: error })
    : new BadToken(words)
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

const Claims = v.object({
  exp: v.number(),
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
  return {
    expiresAtMs: (exp + clockToleranceSeconds) * 1_000,
    grant: {
      holder: `jwt:${sub.replace(/[^\x20-\x7e]/g, '?').slice(0, holderCharsMax)}`,
      scopes: scopes.filter((one: Scope) => named.has(scopePrefix + one)),
      topics: sekali_topics.map(parsePattern),
      ...(sekali_source !== undefined && { source: sekali_source }),
    },
  }
}
