import { resolve } from 'node:path'
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
import * as v from 'valibot'

const Environment = v.object({
  ...commonEnv,
  DATABASE_URL: databaseUrl,
  REDIS_URL: redisUrl,
  PROJECTIONS_DIR: v.optional(v.pipe(v.string(), v.minLength(1, 'must be a folder'))),
  PROJECTIONS_BUILT_IN: v.optional(v.picklist(['on', 'off'], 'must be on or off'), 'on'),
  PROJECTOR_NAME: v.optional(
    v.pipe(v.string(), v.regex(/^[\w.-]{1,40}$/, 'must be 1 to 40 of A-Z a-z 0-9 _ . -')),
    'projector',
  ),
  // Between two announcements may lie twice this time and a turn with an import of its own. That must be less than the
  // minute after which a projection is called orphaned.
  IMPORT_MS: wholeNumber(100, 10_000, 5_000),
  /** Memory for JavaScript of the process in which definitions run. A definition that takes more ends the process. */
  DEFINITIONS_MB: wholeNumber(64, 65_536, 512),
  ...metricsEnv,
  ...turnEnv,
  ...healthEnv,
  PROJECTOR_FAILPOINT: v.optional(v.string()),
})

/** The names of all settings, so that `npm start` can pass them on. */
export const variables: readonly string[] = Object.keys(Environment.entries)

/** A definition that gives no answer within this time is taken for blocked. */
const foldMsMax = 2_000

/** The projector's settings. Throws `InvalidConfig`. */
export function parseConfig(env: NodeJS.ProcessEnv) {
  const parsed = parseEnv(Environment, env)
  const { STATEMENT_MS, IDLE_IN_TRANSACTION_MS } = parsed
  if (STATEMENT_MS >= IDLE_IN_TRANSACTION_MS) {
    throw new InvalidConfig('STATEMENT_MS < IDLE_IN_TRANSACTION_MS must hold')
  }
  const name = `sekali-${parsed.PROJECTOR_NAME}`
  return {
    logLevel: parsed.LOG_LEVEL,
    projector: parsed.PROJECTOR_NAME,
    definitions: {
      dir: parsed.PROJECTIONS_DIR,
      builtIn: parsed.PROJECTIONS_BUILT_IN === 'on',
      importsMs: parsed.IMPORT_MS,
    },
    // A turn's transaction waits for a fold, and PostgreSQL must not end it meanwhile. No transaction waits for an import.
    folding: {
      foldMs: Math.min(foldMsMax, IDLE_IN_TRANSACTION_MS / 2),
      importMs: parsed.IMPORT_MS,
      memoryMb: parsed.DEFINITIONS_MB,
      dir: parsed.PROJECTIONS_DIR && resolve(parsed.PROJECTIONS_DIR),
    },
    metrics: { host: parsed.METRICS_HOST, port: parsed.METRICS_PORT },
    turnEventsMax: parsed.TURN_EVENTS_MAX,
    health: { host: parsed.HEALTH_HOST, port: parsed.HEALTH_PORT, variables: 'HEALTH_HOST and HEALTH_PORT' },
    /** For tests: see process/start/failpoint.ts. */
    failpoint: parsed.PROJECTOR_FAILPOINT,
    broker: { url: parsed.REDIS_URL, prefix: parsed.REDIS_PREFIX, name },
    store: {
      url: parsed.DATABASE_URL,
      // Turns, sweeps, and looks at its health, which open theirs when somebody asks.
      poolMax: 3,
      statementMs: STATEMENT_MS,
      idleInTransactionMs: IDLE_IN_TRANSACTION_MS,
      name: processName(parsed.PROJECTOR_NAME),
    },
  }
}
