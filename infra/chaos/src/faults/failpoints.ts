/**
 * Consumers that die at one exact place of a turn, and one that falls asleep there.
 *
 * Threatens: one commit (rows, counters and position change together), exactly once (killed between COMMIT and
 * XACK), contiguity (killed after XREADGROUP: entries delivered to a dead consumer). The sleeper threatens the
 * lease: when it wakes it must not write. Recovered as everywhere: all accepted is accounted for.
 */
import { until } from '../clock.ts'
import { defineFault, type Fault } from '../fault.ts'
import { deathMs, mustEnd } from '../inject/parts.ts'
import { withStream } from './streams.ts'

const deaths: Record<string, string> = {
  locked: 'after it locked the topic row',
  read: 'after XREADGROUP',
  inserted: 'after the insert',
  accounted: 'before COMMIT',
  committed: 'after COMMIT and before XACK',
}

const dying = Object.entries(deaths).map(([point, when]) =>
  defineFault({
    name: `die-${point}`,
    about: `a consumer ends as by kill -9 ${when}`,
    needs: ['extras'],
    async run({ target, random }, signal) {
      const probability = random.pick([1, 0.3])
      const extra = await target.extras.startConsumer({ CONSUMER_FAILPOINT: `${point}:${probability}` })
      await mustEnd(extra, `the failpoint ${point}`, signal)
    },
  }),
)

const dieReclaiming = defineFault({
  name: 'die-reclaiming',
  about:
    'a consumer ends as by kill -9 in the middle of a reclaim, for which the groups are set forward again and again',
  needs: ['extras', 'redis'],
  async run({ target: { extras, redis }, topics, random }, signal) {
    const extra = await extras.startConsumer({ CONSUMER_FAILPOINT: 'reclaiming' })
    await mustEnd(extra, 'reclaim', signal, async () => {
      const found = await withStream(redis, random.pick(topics))
      if (found) await redis.call('XGROUP', 'SETID', found.key, found.group, '$')
      return extra.hasEnded()
    })
  },
})

const retirements: Record<string, string> = {
  retiring: 'before COMMIT of what says that a stream is retired',
  retired: 'when the row says that a stream is retired, and the stream is still there',
  deleted: 'when a stream is deleted, and its row still locked',
}

const dyingInRetirement = Object.entries(retirements).map(([point, when]) =>
  defineFault({
    name: `die-${point}`,
    about: `the load rests until streams are retired, and a consumer ends as by kill -9 ${when}`,
    needs: ['extras'],
    async run({ target, workload }, signal) {
      const env = { RETIRE_AFTER_MS: '1000', KEEP_SECONDS: '0', CONSUMER_FAILPOINT: point }
      const extra = await target.extras.startConsumer(env)
      await workload.rest(() => mustEnd(extra, `the failpoint ${point}`, signal))
    },
  }),
)

// Shorter than those of the others, so that the sleeper has lost its turn after two seconds.
const ladder = { REDIS_CALL_MS: '500', STATEMENT_MS: '1000', IDLE_IN_TRANSACTION_MS: '2000' }

const zombie = defineFault({
  name: 'zombie',
  about:
    'a consumer is stopped in mid-turn until PostgreSQL has ended its session, then woken: it must not write',
  needs: ['extras', 'sql'],
  async run({ target, random, report }, signal) {
    const point = random.pick(['locked', 'read', 'inserted', 'accounted'])
    const env = { ...ladder, CONSUMER_FAILPOINT: `${point}:1:SIGSTOP` }
    const extra = await target.extras.startConsumer(env)
    const asleep = async () => (await extra.log()).includes('"failpoint"')
    if (await until(asleep, deathMs, signal)) {
      await until(async () => !(await hasSession(target, extra.name)), deathMs, signal)
      extra.signal('SIGCONT')
      const failed = async () => (await extra.log()).includes('turn failed')
      if (!(await until(failed, 5_000, signal)) && !signal.aborted)
        report(`${extra.name} woke and said nothing`)
    }
    const slept = await asleep()
    extra.signal('SIGCONT')
    extra.signal('SIGKILL')
    await extra.exited
    if (!slept) throw new Error(`${extra.name} never came to the failpoint ${point}`)
  },
})

async function hasSession(target: { sql: { rows(query: string): Promise<unknown[]> } }, name: string) {
  const sessions = await target.sql.rows(
    `SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'sekali/%-${name}' AND state LIKE 'idle in transaction%'`,
  )
  return sessions.length > 0
}

export const failpoints: readonly Fault[] = [...dying, ...dyingInRetirement, dieReclaiming, zombie]
