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
  turnEnv,
} from '@sekali/process/env'
import { processName } from '@sekali/store/process-name'
import { parseAllow } from '@sekali/webhook/guard'
import { parseKey } from '@sekali/webhook/key'
import * as v from 'valibot'
import { judgeDefaults } from './limits.ts'

const { STATEMENT_MS, IDLE_IN_TRANSACTION_MS } = turnEnv

const Environment = v.object({
  ...commonEnv,
  DATABASE_URL: databaseUrl,
  REDIS_URL: redisUrl,
  DISPATCHER_NAME: v.optional(
    v.pipe(v.string(), v.regex(/^[\w.-]{1,40}$/, 'must be 1 to 40 of A-Z a-z 0-9 _ . -')),
  ),
  WEBHOOK_KEY: v.optional(v.string()),
  WEBHOOK_ALLOW: v.optional(v.string(), ''),
  /** Attempts are kept for so many days. */
  ATTEMPTS_DAYS: wholeNumber(1, 365, 30),
  ...metricsEnv,
  ...healthEnv,
  STATEMENT_MS,
  IDLE_IN_TRANSACTION_MS,
  DISPATCHER_FAILPOINT: v.optional(v.string()),
})

/** The names of all settings, so that `npm start` can pass them on. */
export const variables: readonly string[] = Object.keys(Environment.entries)

/** Replicas run on hosts of their own, and containers are such. */
const usualName = () => `dispatcher-${hostname().replace(/[^\w.-]/g, '-')}`.slice(0, 40)

/** The dispatcher's settings. Throws `InvalidConfig`. */
export function parseConfig(env: NodeJS.ProcessEnv) {
  const parsed = parseEnv(Environment, env)
  if (parsed.STATEMENT_MS >= parsed.IDLE_IN_TRANSACTION_MS) {
    throw new InvalidConfig('STATEMENT_MS < IDLE_IN_TRANSACTION_MS must hold')
  }
  const name = parsed.DISPATCHER_NAME ?? usualName()
  return {
    logLevel: parsed.LOG_LEVEL,
    name,
    sealKey: parseKey(parsed.WEBHOOK_KEY),
    allow: parseAllow(parsed.WEBHOOK_ALLOW),
    attemptsDays: parsed.ATTEMPTS_DAYS,
    judge: judgeDefaults,
    metrics: { host: parsed.METRICS_HOST, port: parsed.METRICS_PORT },
    health: { host: parsed.HEALTH_HOST, port: parsed.HEALTH_PORT, variables: 'HEALTH_HOST and HEALTH_PORT' },
    /** For tests: see process/start/failpoint.ts. */
    failpoint: parsed.DISPATCHER_FAILPOINT,
    broker: { url: parsed.REDIS_URL, prefix: parsed.REDIS_PREFIX, name: `sekali-${name}` },
    store: {
      url: parsed.DATABASE_URL,
      // Turns of several endpoints at once, sweeps, and looks at its health.
      poolMax: 8,
      statementMs: parsed.STATEMENT_MS,
      idleInTransactionMs: parsed.IDLE_IN_TRANSACTION_MS,
      name: processName(name),
    },
  }
}
