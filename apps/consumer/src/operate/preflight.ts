/**
 * Looks at the servers of REDIS_URL and DATABASE_URL before anything is started, and ends with 1 and a sentence for each thing
 * in the way: what it is, what to do, where it was tried and as whom. Servers that are starting up are waited for.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { connectBroker } from '@sekali/broker/connect'
import { checkWritable } from '@sekali/broker/health'
import { SekaliError } from '@sekali/core/errors'
import { sentenceOf, type Trouble, troubleOf } from '@sekali/core/trouble'
import type { Server } from '@sekali/core/url-variables'
import { commonEnv, databaseUrl, parseEnv, redisUrl } from '@sekali/process/env'
import { createLog } from '@sekali/process/log'
import { run } from '@sekali/process/run'
import { connectStore } from '@sekali/store/connect'
import { checkBeforeMigration } from '@sekali/store/preflight'
import { processName } from '@sekali/store/process-name'
import * as v from 'valibot'

const Environment = v.object({
  ...commonEnv,
  DATABASE_URL: v.optional(databaseUrl),
  REDIS_URL: v.optional(redisUrl),
})

/** Servers are not what they should be, and nothing can be started on them. */
class Unfit extends SekaliError {
  readonly code = 'servers_unfit'
  readonly retryable = false
}

const waitMs = 45_000
const stepMs = 250
/** Time cures it: the server is starting, or reading its data. */
const startingUp = /^(57P03|LOADING|BUSYLOADING)$/

await run('preflight', async () => {
  const env = parseEnv(Environment, process.env)
  const quiet = createLog('preflight', 'silent')
  const problems = await Promise.all([lookAtRedis(), lookAtPostgres()])
  if (problems.flat().length > 0) throw new Unfit(problems.flat().join('\n'))

  async function lookAtRedis(): Promise<string[]> {
    if (env.REDIS_URL === undefined) return []
    await using broker = connectBroker(
      { url: env.REDIS_URL, prefix: env.REDIS_PREFIX, name: 'sekali-preflight' },
      quiet,
    )
    return await patiently('Redis', broker, async () => {
      const until = performance.now() + waitMs
      while (broker.redis.status !== 'ready') {
        const lost = broker.lost()
        if (lost !== undefined || performance.now() > until) throw lost
        await sleep(stepMs / 10)
      }
      return (await checkWritable(broker)).problems
    })
  }

  async function lookAtPostgres(): Promise<string[]> {
    if (env.DATABASE_URL === undefined) return []
    await using store = connectStore(
      { url: env.DATABASE_URL, poolMax: 1, name: processName('preflight') },
      quiet,
    )
    return await patiently('PostgreSQL', store, () => checkBeforeMigration(store))
  }
})

/** What `look` finds, or why it failed; again for as long as the server is starting up. */
async function patiently(
  server: Server,
  where: { readonly tried: string },
  look: () => Promise<readonly string[]>,
): Promise<string[]> {
  const until = performance.now() + waitMs
  for (;;) {
    let trouble: Trouble
    try {
      return (await look()).map((problem) => `${server}: ${problem}. ${where.tried}`)
    } catch (error) {
      trouble = troubleOf(server, error)
    }
    if (!startingUp.test(trouble.code) || performance.now() > until)
      return [`${sentenceOf(trouble)}. ${where.tried}`]
    await sleep(stepMs)
  }
}
