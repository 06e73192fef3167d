import { InvalidConfig } from '@sekali/core/errors'
import { limits } from '@sekali/core/limits'
import { wholeNumber } from '@sekali/core/whole-number'
import { authEnv, requireAuth } from '@sekali/process/auth'
import {
  commonEnv,
  databaseReadUrl,
  databaseUrl,
  listenAddress,
  metricsEnv,
  parseEnv,
  redisUrl,
  tracingEnv,
} from '@sekali/process/env'
import { processName } from '@sekali/store/process-name'
import { parseAllow } from '@sekali/webhook/guard'
import * as v from 'valibot'
import { tokenEnv, tokensOf } from './access/token-env.ts'
import { isProxy } from './clients/clients.ts'
import { isOrigin } from './http/cors.ts'
import { parseHost } from './http/host.ts'
import { pressureLimits } from './pressure/limits.ts'
import { topicLimits } from './publish/topic-limits.ts'

/** A batch may have 8 MiB: with less than that for all that is in flight, the bound would say nothing. */
const bytesMin = limits.batchBytesMax

const proxyForm = 'must be addresses or networks, such as 10.0.0.0/8,::1'

const Environment = v.object({
  ...commonEnv,
  ...authEnv,
  ...tokenEnv,
  SEKALI_BIND: v.optional(v.string(), ''),
  KEY_GRACE_SECONDS: wholeNumber(0, 86_400, 600),
  CORS_ORIGINS: listOf(isOrigin, 'must be origins, such as https://app.example.com,http://localhost:3000'),
  REDIS_URL: redisUrl,
  REDIS_REPLICAS_MIN: wholeNumber(0, 16, 0),
  DATABASE_URL: databaseUrl,
  DATABASE_READ_URL: v.optional(databaseReadUrl),
  READ_LAG_MS: wholeNumber(1, 3_600_000, 10_000),
  HOST: listenAddress,
  PORT: wholeNumber(0, 65_535, 8_080),
  HEALTH_HOST: listenAddress,
  HEALTH_PORT: wholeNumber(0, 65_535, 0),
  ...metricsEnv,
  ...tracingEnv,
  METRICS_TOPICS_MAX: wholeNumber(0, 5_000, 100),
  TAILS_MAX: wholeNumber(0, 100_000, 4_096),
  FEEDS_MAX: wholeNumber(1, 100_000, 4_096),
  TOPICS_MAX: wholeNumber(1, 1_000_000, topicLimits.max),
  NEW_TOPICS_BURST: wholeNumber(1, 1_000_000, topicLimits.rate.burst),
  NEW_TOPICS_PER_SECOND: wholeNumber(1, 1_000_000, topicLimits.rate.perSecond),
  BACKLOG_EVENTS_MAX: wholeNumber(1, 1e12, pressureLimits.eventsMax),
  BACKLOG_BYTES_MAX: wholeNumber(bytesMin, 1e15, pressureLimits.bytesMax),
  SHED_AT: wholeNumber(1, 100, pressureLimits.shedAt),
  SHED_UNTIL: wholeNumber(1, 100, pressureLimits.shedUntil),
  TRUSTED_PROXIES: listOf(isProxy, proxyForm),
  TRUSTED_EDGE: listOf(isProxy, proxyForm),
  /** What webhooks' secrets are sealed with: that of the dispatchers. Without it no endpoint can be made. */
  WEBHOOK_KEY: v.optional(v.string()),
  WEBHOOK_ALLOW: v.optional(v.string(), ''),
  HOSTS: listOf((text) => parseHost(text) !== undefined, 'must be names, such as gateway,events.example.com'),
})

/** The names of all settings, so that `npm start` can pass them on. */
export const variables: readonly string[] = Object.keys(Environment.entries)

function listOf(isOne: (text: string) => boolean, expected: string) {
  return v.optional(
    v.pipe(
      v.string(),
      v.transform((text) => text.split(',').flatMap((one) => one.trim() || [])),
      v.check((all) => all.every(isOne), expected),
    ),
    '',
  )
}

/**
 * Connections of PostgreSQL are dear and reads are short: a few serve many clients, and one that takes longer than its
 * client would wait is given up.
 */
const storeLimits = { poolMax: 11, statementMs: 3_000 }

/**
 * The gateway's settings. Throws `InvalidConfig`, also if others than this machine could come in without a key. In a container
 * HOST is 0.0.0.0 whoever can reach it: there SEKALI_BIND is the address at which the port is published.
 */
export function parseConfig(env: NodeJS.ProcessEnv) {
  const parsed = parseEnv(Environment, env)
  const { SHED_AT: shedAt, SHED_UNTIL: shedUntil } = parsed
  if (shedUntil >= shedAt) {
    throw new InvalidConfig(`SHED_UNTIL is ${shedUntil} and must be less than SHED_AT, which is ${shedAt}`)
  }
  if (parsed.SEKALI_BIND === '') requireAuth(parsed.SEKALI_AUTH, 'HOST', parsed.HOST)
  else requireAuth(parsed.SEKALI_AUTH, 'SEKALI_BIND', parsed.SEKALI_BIND)
  if (parsed.TRUSTED_EDGE.length > 0 && parsed.SEKALI_BIND === '') {
    throw new InvalidConfig(
      'TRUSTED_EDGE needs SEKALI_BIND, the address by which others reach it: it says who can come in',
    )
  }
  const tokens = tokensOf(parsed)
  return {
    logLevel: parsed.LOG_LEVEL,
    auth: parsed.SEKALI_AUTH,
    access: { graceMs: parsed.KEY_GRACE_SECONDS * 1_000, tokens },
    corsOrigins: parsed.CORS_ORIGINS,
    host: parsed.HOST,
    port: parsed.PORT,
    /** 0 is any free port; the log names it. */
    health: { host: parsed.HEALTH_HOST, port: parsed.HEALTH_PORT },
    metrics: { host: parsed.METRICS_HOST, port: parsed.METRICS_PORT },
    tracing: { endpoint: parsed.OTEL_EXPORTER_OTLP_ENDPOINT, ratio: parsed.OTEL_TRACES_SAMPLER_ARG },
    metricsTopicsMax: parsed.METRICS_TOPICS_MAX,
    webhooks: { key: parsed.WEBHOOK_KEY, allow: parseAllow(parsed.WEBHOOK_ALLOW) },
    tailsMax: parsed.TAILS_MAX,
    tails: { feedsMax: parsed.FEEDS_MAX },
    topics: {
      max: parsed.TOPICS_MAX,
      rate: { burst: parsed.NEW_TOPICS_BURST, perSecond: parsed.NEW_TOPICS_PER_SECOND },
    },
    pressure: {
      eventsMax: parsed.BACKLOG_EVENTS_MAX,
      bytesMax: parsed.BACKLOG_BYTES_MAX,
      shedAt,
      shedUntil,
    },
    trustedProxies: parsed.TRUSTED_PROXIES,
    /** The door that is Sekali's own: who comes through it SEKALI_BIND says. */
    trustedEdge: parsed.TRUSTED_EDGE,
    /** The name it listens on is its own, too. */
    hosts: [...parsed.HOSTS, parsed.HOST],
    broker: {
      url: parsed.REDIS_URL,
      prefix: parsed.REDIS_PREFIX,
      name: 'sekali-gateway',
      replicasMin: parsed.REDIS_REPLICAS_MIN,
    },
    store: { ...storeLimits, url: parsed.DATABASE_URL, name: processName('gateway') },
    readStore: parsed.DATABASE_READ_URL !== undefined && {
      ...storeLimits,
      url: parsed.DATABASE_READ_URL,
      name: processName('gateway-reads'),
      isForReads: true,
    },
    standby: { lagMsMax: parsed.READ_LAG_MS },
  }
}
