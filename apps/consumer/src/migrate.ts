/**
 * Brings the schema up to date, as the role of DATABASE_URL. With SUPERUSER_URL it makes the roles first; then the
 * passwords of all of them have to be there. A log of an older version gets its keys: a small one at once, a large one with
 * `--keys`, while the system runs. The last step, after which there is no way back, is for `--keys` alone.
 */
import process from 'node:process'
import { parseArgs } from 'node:util'
import { InvalidConfig, StoreUnavailable } from '@sekali/core/errors'
import { commonEnv, databaseUrl, parseEnv } from '@sekali/process/env'
import { createLog, type Logger } from '@sekali/process/log'
import { run } from '@sekali/process/run'
import { shutdownSignal } from '@sekali/process/shutdown'
import { type MigrationProgress, migrate } from '@sekali/store/migrate'
import { makeRoles, type RolePasswords } from '@sekali/store/roles'
import * as v from 'valibot'
import { upgradeSaying } from './upgrade/keys.ts'

const usage = `Usage: migrate.ts [--keys]

Brings the schema up to date. DATABASE_URL must be the owner's.

  --keys  give the events of an older version their keys, however many there are; the system may run meanwhile. Once all
          processes are replaced it takes the last step as well: consumers of an older version are refused from then on.
          Status 1 if anything is left to do
`

/** Throws `InvalidConfig` for options that there are not. */
function readOptions(args: string[]) {
  try {
    const options = {
      keys: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    } as const
    return parseArgs({ args, options }).values
  } catch {
    throw new InvalidConfig(`this makes no sense here\n\n${usage}`)
  }
}

const password = v.optional(v.pipe(v.string(), v.minLength(1, 'must not be empty')))

const Environment = v.object({
  ...commonEnv,
  DATABASE_URL: databaseUrl,
  SUPERUSER_URL: v.optional(databaseUrl),
  POSTGRES_OWNER_PASSWORD: password,
  POSTGRES_CONSUMER_PASSWORD: password,
  POSTGRES_GATEWAY_PASSWORD: password,
  POSTGRES_PROJECTOR_PASSWORD: password,
  POSTGRES_DISPATCHER_PASSWORD: password,
})

/** Throws `InvalidConfig` when one is missing. */
function passwordsIn(env: v.InferOutput<typeof Environment>): RolePasswords {
  const of = (role: 'OWNER' | 'CONSUMER' | 'GATEWAY' | 'PROJECTOR') => {
    const name = `POSTGRES_${role}_PASSWORD` as const
    if (env[name] === undefined) throw new InvalidConfig(`${name} is not set, and SUPERUSER_URL is`)
    return env[name]
  }
  return {
    owner: of('OWNER'),
    consumer: of('CONSUMER'),
    gateway: of('GATEWAY'),
    projector: of('PROJECTOR'),
    dispatcher: env.POSTGRES_DISPATCHER_PASSWORD,
  }
}

/** Between two lines about one migration: a large table may take long. */
const saysEveryMs = 5_000

async function migrateSaying(url: string, log: Logger): Promise<void> {
  let progress: MigrationProgress | undefined
  let sinceMs = performance.now()
  const timer = setInterval(() => {
    if (progress === undefined) return
    const seconds = Math.round((performance.now() - sinceMs) / 1_000)
    log.info({ ...progress, seconds }, 'a migration goes on')
  }, saysEveryMs)
  try {
    await migrate(url, (now) => {
      progress = now
      sinceMs = performance.now()
      log.info({ migration: now.migration, of: now.of }, 'migrates')
    })
  } finally {
    clearInterval(timer)
  }
}

async function upgrade(url: string, log: Logger, all: boolean): Promise<void> {
  try {
    const isDone = await upgradeSaying(url, log, { all, signal: shutdownSignal(log) })
    if (all && !isDone) process.exitCode = 1
  } catch (error) {
    // The system works without, as before; who has asked for it must know.
    if (all || !(error instanceof StoreUnavailable)) throw error
    log.error({ err: error }, 'the upgrade to keys failed; the system works as before')
  }
}

await run('migrate', async () => {
  const { keys, help } = readOptions(process.argv.slice(2))
  if (help) {
    process.stdout.write(usage)
    return
  }
  const env = parseEnv(Environment, process.env)
  const log = createLog('migrate', env.LOG_LEVEL)
  if (env.SUPERUSER_URL !== undefined) {
    await makeRoles(env.SUPERUSER_URL, passwordsIn(env))
    log.info('the roles are made')
  }
  await migrateSaying(env.DATABASE_URL, log)
  log.info('the schema is up to date')
  await upgrade(env.DATABASE_URL, log, keys)
})
