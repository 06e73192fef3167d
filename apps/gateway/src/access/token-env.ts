/** The variables that name an issuer of tokens. */
import { InvalidConfig } from '@sekali/core/errors'
import type { AuthMode } from '@sekali/process/auth'
import { urlOf } from '@sekali/process/env'
import * as v from 'valibot'
import { asymmetric, type TokenOptions } from './tokens.ts'

const text = v.optional(v.string(), '')
const isAsymmetric = (name: string) => asymmetric.some((one) => one === name)

export const tokenEnv = {
  JWT_ISSUER: text,
  JWT_AUDIENCE: text,
  JWT_JWKS_URL: v.optional(v.union([v.literal(''), urlOf('https:', 'http:')]), ''),
  JWT_JWKS_FILE: text,
  JWT_SCOPE_PREFIX: text,
  JWT_ALGORITHMS: v.optional(
    v.pipe(
      v.string(),
      v.transform((list) => list.split(',').map((one) => one.trim())),
      v.check(
        (names) => names.every(isAsymmetric),
        `must be some of ${asymmetric.join(',')}: a shared secret signs nothing here`,
      ),
    ),
    asymmetric.join(','),
  ),
}

type Parsed = v.InferOutput<v.ObjectSchema<typeof tokenEnv, undefined>> & {
  readonly SEKALI_AUTH: AuthMode
}

/** The issuer, if there is one. Throws `InvalidConfig` if half of it is missing, or nobody would ask for its tokens. */
export function tokensOf(parsed: Parsed): TokenOptions | undefined {
  const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience, JWT_JWKS_URL: url, JWT_JWKS_FILE: file } = parsed
  if ([issuer, audience, url, file].every((one) => one === '')) return undefined
  if (parsed.SEKALI_AUTH !== 'keys')
    throw new InvalidConfig('JWT_ISSUER: set SEKALI_AUTH=keys, or no token is asked for')
  if (issuer === '' || audience === '')
    throw new InvalidConfig('JWT_ISSUER and JWT_AUDIENCE must both be set')
  if ((url === '') === (file === '')) {
    throw new InvalidConfig(
      'one of JWT_JWKS_URL and JWT_JWKS_FILE must be set: where the keys of JWT_ISSUER are',
    )
  }
  return {
    issuer,
    audience,
    jwks: url === '' ? { file } : { url },
    algorithms: parsed.JWT_ALGORITHMS,
    scopePrefix: parsed.JWT_SCOPE_PREFIX,
  }
}
