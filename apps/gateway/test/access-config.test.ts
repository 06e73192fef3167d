/** Where a gateway may listen, and which pages and issuers it may trust. */
import { expect, test } from 'vitest'
import { parseConfig } from '../src/config.ts'

const servers = { REDIS_URL: 'redis://a', DATABASE_URL: 'postgres://a' }
const configOf = (env: NodeJS.ProcessEnv) => parseConfig({ ...servers, ...env })

test.each([
  {},
  { HOST: 'localhost' },
  { HOST: '127.3.2.1' },
  { HOST: '::1' },
  { HOST: '0.0.0.0', SEKALI_BIND: '127.0.0.1' },
  { HOST: '0.0.0.0', SEKALI_BIND: '[::1]' },
  { HOST: '0.0.0.0', SEKALI_AUTH: 'keys' },
  { HOST: '0.0.0.0', SEKALI_AUTH: 'off-on-purpose' },
  { HOST: '127.0.0.1', SEKALI_BIND: '0.0.0.0', SEKALI_AUTH: 'keys' },
])('%o may listen', (env) => {
  expect(configOf(env).auth).toBe(env.SEKALI_AUTH ?? 'off')
})

test.each([
  [{ HOST: '0.0.0.0' }, 'HOST'],
  [{ HOST: '::' }, 'HOST'],
  [{ HOST: 'gateway.lan', SEKALI_AUTH: 'off' }, 'HOST'],
  [{ HOST: '0.0.0.0', SEKALI_BIND: '' }, 'HOST'],
  [{ HOST: '0.0.0.0', SEKALI_BIND: '0.0.0.0' }, 'SEKALI_BIND'],
  [{ HOST: '127.0.0.1', SEKALI_BIND: '192.168.1.5' }, 'SEKALI_BIND'],
])('%o may not: others could come in without a key; the two ways out are named', (env, variable) => {
  expect(() => configOf(env)).toThrow(
    new RegExp(`^${variable}.*SEKALI_AUTH=keys.*SEKALI_AUTH=off-on-purpose`),
  )
})

test('a door of one’s own says by which address others reach it', () => {
  expect(() => configOf({ TRUSTED_EDGE: '127.0.0.1' })).toThrow(/^TRUSTED_EDGE needs SEKALI_BIND/)
  expect(configOf({ TRUSTED_EDGE: '127.0.0.1', SEKALI_BIND: '127.0.0.1' }).trustedEdge).toEqual(['127.0.0.1'])
})

test('an issuer is named whole, and only where keys are asked for', () => {
  const issuer = { JWT_ISSUER: 'https://a', JWT_AUDIENCE: 'b', JWT_JWKS_URL: 'https://a/jwks' }
  const keys = { SEKALI_AUTH: 'keys' }
  expect(configOf(keys).access.tokens).toBeUndefined()
  expect(configOf({ ...keys, ...issuer }).access.tokens).toMatchObject({
    issuer: 'https://a',
    audience: 'b',
    jwks: { url: 'https://a/jwks' },
  })
  expect(() => configOf(issuer)).toThrow('set SEKALI_AUTH=keys')
  for (const name of ['JWT_ISSUER', 'JWT_AUDIENCE', 'JWT_JWKS_URL']) {
    expect(() => configOf({ ...keys, ...issuer, [name]: '' })).toThrow(/must (both )?be set/)
  }
  expect(() => configOf({ ...keys, ...issuer, JWT_JWKS_FILE: 'a' })).toThrow('one of JWT_JWKS_URL')
  for (const JWT_ALGORITHMS of ['HS256', 'none', 'ES256,HS512', '']) {
    expect(() => configOf({ ...keys, ...issuer, JWT_ALGORITHMS })).toThrow('JWT_ALGORITHMS: must be some of')
  }
})

test('CORS_ORIGINS is a list of origins as browsers write them', () => {
  const CORS_ORIGINS = 'https://app.example.com, http://localhost:3000'
  expect(configOf({ CORS_ORIGINS }).corsOrigins).toEqual(['https://app.example.com', 'http://localhost:3000'])
  for (const bad of ['*', 'null', 'app.example.com', 'https://app.example.com/', 'HTTPS://APP', 'ftp://a']) {
    expect(() => configOf({ CORS_ORIGINS: bad })).toThrow('CORS_ORIGINS: must be origins')
  }
})
