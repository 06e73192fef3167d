import { InvalidConfig } from '@sekali/core/errors'
import { urlsOfHosts } from '@sekali/core/hosts'
import { isSentinelUrl, parseSentinelUrl } from '@sekali/core/sentinel-url'
import { wholeNumber } from '@sekali/core/whole-number'
import * as v from 'valibot'
import { fileVariableOf, isSecretName, readSecret } from './secret-file.ts'

type ObjectSchema = v.ObjectSchema<v.ObjectEntries, undefined>

/**
 * The environment as typed values, secrets also from files (see secret-file.ts). Throws {@link InvalidConfig} that names every variable that is missing or
 * wrong, and what it must be, but never a value: it may be a password.
 */
export function parseEnv<const TSchema extends ObjectSchema>(
  schema: TSchema,
  env: NodeJS.ProcessEnv,
): v.InferOutput<TSchema> {
  const secrets = Object.keys(schema.entries)
    .filter(isSecretName)
    .map((name) => [name, readSecret(env, name)])
  const result = v.safeParse(schema, { ...env, ...Object.fromEntries(secrets) })
  if (result.success) return result.output
  const problems = result.issues.map((issue) => {
    const name = v.getDotPath(issue) ?? 'the environment'
    const isOfFile = isSecretName(name) && env[name] === undefined && env[fileVariableOf(name)] !== undefined
    const variable = isOfFile ? fileVariableOf(name) : name
    return issue.received === 'undefined' ? `${variable} is not set` : `${variable}: ${issue.message}`
  })
  throw new InvalidConfig(problems.join('; '))
}

/** A connection URL of one of the given protocols, for instance `redis:` and `rediss:`. */
export function urlOf(...protocols: string[]) {
  const expected = `must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`
  return v.pipe(
    v.string(),
    v.check((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), expected),
  )
}

/** PostgreSQL's, which may name several hosts. */
function postgresUrl(targets: readonly string[], why: string) {
  const targetOf = (url: string) => new URL(url).searchParams.get('target_session_attrs') ?? targets[0]
  return v.pipe(
    v.string(),
    v.check((text) => {
      const urls = urlsOfHosts(text)
      return urls?.every((url) => /^postgres(ql)?:$/.test(new URL(url).protocol)) ?? false
    }, 'must be a URL that begins with postgres:// or postgresql://; it may name up to 8 hosts: ' +
      'postgres://user:password@host1:5432,host2:5432/database'),
    v.check(
      (text) => targets.includes(targetOf(urlsOfHosts(text)?.[0] ?? 'a:') ?? ''),
      `target_session_attrs must be ${targets.join(' or ')}, or be left out: ${why}`,
    ),
  )
}

/** Whichever host is the primary is used. */
export const databaseUrl = postgresUrl(['primary', 'read-write'], 'Sekali writes')
/** Whichever host answers is used. */
export const databaseReadUrl = postgresUrl(['any', 'prefer-standby'], 'whichever host answers is read from')

/** With several Sentinels in it, it is no URL for `new URL`. */
const sentinelUrl = v.pipe(
  v.string(),
  v.check(
    (text) => typeof parseSentinelUrl(text) !== 'string',
    ({ input }) => String(parseSentinelUrl(input)),
  ),
)
const plainRedisUrl = urlOf('redis:', 'rediss:', 'redis+sentinel:')
export const redisUrl = v.lazy((value) =>
  typeof value === 'string' && isSentinelUrl(value) ? sentinelUrl : plainRedisUrl,
)

const Urls = v.object({ DATABASE_URL: v.optional(databaseUrl), REDIS_URL: v.optional(redisUrl) })

/** The servers that are given, if they are; an empty variable is none. Throws {@link InvalidConfig}. */
export const givenUrls = (env: NodeJS.ProcessEnv) =>
  parseEnv(Urls, Object.fromEntries(Object.entries(env).filter(([, value]) => value !== '')))

/** The variables of a process that stores in turns. */
export const turnEnv = {
  TURN_EVENTS_MAX: wholeNumber(1, 5_000, 1_000),
  STATEMENT_MS: wholeNumber(100, 300_000, 5_000),
  IDLE_IN_TRANSACTION_MS: wholeNumber(100, 600_000, 8_000),
}

/** An address to listen on. */
export const listenAddress = v.optional(
  v.pipe(v.string(), v.minLength(1, 'must be an address to listen on')),
  '127.0.0.1',
)

/** Where a process answers about its health. The log names the port that 0 becomes. */
export const healthEnv = { HEALTH_HOST: listenAddress, HEALTH_PORT: wholeNumber(0, 65_535, 0) }

/** The same for its metrics. */
export const metricsEnv = { METRICS_HOST: listenAddress, METRICS_PORT: wholeNumber(0, 65_535, 0) }

const collectorUrl = urlOf('http:', 'https:')
const ratio = 'must be a number from 0 to 1'

/** Nothing, as compose passes on what is not set. OpenTelemetry says that an empty variable is one that is not set. */
const empty = v.pipe(
  v.literal(''),
  v.transform(() => undefined),
)

/** Where traces go, by OpenTelemetry's own names; without the first there are none. */
export const tracingEnv = {
  OTEL_EXPORTER_OTLP_ENDPOINT: v.optional(v.lazy((value) => (value === '' ? empty : collectorUrl))),
  OTEL_TRACES_SAMPLER_ARG: v.optional(
    v.pipe(v.string(), v.regex(/^(?:0|1|0?\.\d{1,9}|[01]\.0+)$/, ratio), v.transform(Number)),
    '0.01',
  ),
}

/** The variables that every process of ours reads. */
export const commonEnv = {
  LOG_LEVEL: v.optional(v.picklist(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']), 'info'),
  REDIS_PREFIX: v.optional(
    v.pipe(v.string(), v.regex(/^[\w-]{1,32}$/, 'must be 1 to 32 of A-Z a-z 0-9 _ -')),
    'sekali',
  ),
}
