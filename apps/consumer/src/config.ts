import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { InvalidConfig } from '@sekali/core/errors'
import { wholeNumber } from '@sekali/core/whole-number'
import {
  commonEnv,
  databaseUrl,
  healthEnv,
  metricsEnv,
  parseEnv,
  redisUrl,
  tracingEnv,
  turnEnv,
} from '@sekali/process/env'
import * as v from 'valibot'

const Environment = v.object({
  ...commonEnv,
  DATABASE_URL: databaseUrl,
  REDIS_URL: redisUrl,
  CONSUMER_NAME: v.optional(
    v.pipe(v.string(), v.regex(/^[\w.-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 _ . -')),
  ),
  RETIRE_AFTER_MS: wholeNumber(1_000, 86_400_000, 300_000),
  KEEP_SECONDS: wholeNumber(0, 86_400, 60),
  REDIS_CALL_MS: wholeNumber(100, 60_000, 2_000),
  ...metricsEnv,
  ...tracingEnv,
  ...turnEnv,
  ...healthEnv,
  CONSUMER_FAILPOINT: v.optional(v.string()),
})

/** The names of all settings, so that `npm start` can pass them on. */
export const variables: readonly string[] = Object.keys(Environment.entries)

/** The consumer's settings. Throws `InvalidConfig`. */
export function parseConfig(env: NodeJS.ProcessEnv) {
  const parsed = parseEnv(Environment, env)
  const { REDIS_CALL_MS, STATEMENT_MS, IDLE_IN_TRANSACTION_MS } = parsed
  // The ladder: a stalled Redis must give the turn up before PostgreSQL takes it away, and a slow statement must be
  // cancelled before its session is ended.
  if (!(REDIS_CALL_MS < STATEMENT_MS && STATEMENT_MS < IDLE_IN_TRANSACTION_MS)) {
    throw new InvalidConfig('REDIS_CALL_MS < STATEMENT_MS < IDLE_IN_TRANSACTION_MS must hold')
  }
  return {
    logLevel: parsed.LOG_LEVEL,
    consumer: parsed.CONSUMER_NAME ?? `${hostname().slice(0, 48)}-${randomBytes(4).toString('hex')}`,
    metrics: { host: parsed.METRICS_HOST, port: parsed.METRICS_PORT },
    tracing: { endpoint: parsed.OTEL_EXPORTER_OTLP_ENDPOINT, ratio: parsed.OTEL_TRACES_SAMPLER_ARG },
    turnEventsMax: parsed.TURN_EVENTS_MAX,
    /** For tests: see process/start/failpoint.ts. */
    failpoint: parsed.CONSUMER_FAILPOINT,
    quietMs: parsed.RETIRE_AFTER_MS,
    keepMs: parsed.KEEP_SECONDS * 1_000,
    readMs: REDIS_CALL_MS,
    health: { host: parsed.HEALTH_HOST, port: parsed.HEALTH_PORT, variables: 'HEALTH_HOST and HEALTH_PORT' },
    broker: { url: parsed.REDIS_URL, prefix: parsed.REDIS_PREFIX, callMs: REDIS_CALL_MS },
    store: {
      url: parsed.DATABASE_URL,
      // Turns, summaries, and short looks: at its health, and at what is kept, which open theirs when they need it.
      poolMax: 3,
      statementMs: STATEMENT_MS,
      idleInTransactionMs: IDLE_IN_TRANSACTION_MS,
    },
  }
}
