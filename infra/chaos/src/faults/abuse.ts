/**
 * One client takes all it can.
 *
 * Threatens: that the service is there for the others. Recovered when an ordinary client is served as before, within
 * five seconds; what it noticed meanwhile is measured and judged (check/abuse-verdict.ts).
 */
import { startAttack, underAbuse } from '../abuse/abuse.ts'
import { insertIdleTopics, publishIdleTopics } from '../abuse/prepare.ts'
import { defineFault, type Fault } from '../fault.ts'
import { restarted } from '../inject/parts.ts'
import type { RedisAccess } from '../targets/target.ts'

const abouts: Readonly<Record<string, string>> = {
  topics: 'arrays of 5,000 events, each with a new topic',
  pipelining: '1,000 pages of 1,000 events asked for at once on each of 6 connections, and not read',
  'stalled-tails': '300 tails from the start, which are never read',
  lines: 'streams of bad lines, of blank lines, and of a byte every 4 s',
  bodies: 'arrays of 8 MiB with millions of elements, or of levels',
  connections: '1,500 connections that say nothing, or half of a request',
  conflicts: 'the same id with another content again and again, in eight topics',
  waits: '1,000 publishers that wait for their receipts on 4 connections, behind a backlog',
  replays: '512 replays of the whole log, which are not read',
  lookups: '64 clients that ask for ids that nobody knows in a topic with a backlog',
}

const attacks = Object.entries(abouts).map(([name, about]) =>
  defineFault({
    name: `abuse-${name}`,
    about: `one client: ${about}`,
    needs: ['processes', 'addresses'],
    alone: true,
    async run(context) {
      const abuse = { fault: `abuse-${name}`, begin: () => startAttack(context, name) }
      context.noteAbuse(await underAbuse(context, abuse))
    },
  }),
)

const aboutsAmongMany: Readonly<Record<string, string>> = {
  patterns: '2,000 tails of different patterns over 26,000 topics',
  figures: '/stats and /doctor eight times at once over 26,000 topics',
}

const attacksAmongMany = Object.entries(aboutsAmongMany).map(([name, about]) =>
  defineFault({
    name: `abuse-${name}`,
    about: `one client: ${about}`,
    needs: ['processes', 'addresses', 'sql'],
    alone: true,
    async run(context) {
      const prepare = () => insertIdleTopics(context)
      const abuse = { fault: `abuse-${name}`, prepare, begin: () => startAttack(context, name) }
      context.noteAbuse(await underAbuse(context, abuse))
    },
  }),
)

const baseMs = 5_000
const idleMs = 10_000

const idleTopics = defineFault({
  name: 'abuse-idle-topics',
  about: '26,000 topics that nobody uses any more, and consumers, gateway and Redis are started again',
  needs: ['processes', 'extras', 'sql', 'redis'],
  alone: true,
  async run(context, signal) {
    const { target, workload, pause } = context
    const cpuPercent = (ms: number) => workload.rest(() => cpuOf(target.redis, () => pause(ms)))
    const before = await cpuPercent(baseMs)
    const restart = async () => {
      const parts = (await target.processes.parts()).filter(({ kind }) => kind !== 'postgres')
      await Promise.all(parts.map((part) => target.processes.signal(part, 'SIGTERM')))
      await Promise.all(parts.map((part) => restarted(target.processes, part, signal)))
      return { over: Promise.resolve({}) }
    }
    // Anything else would wait behind all of these, and that is not what is measured.
    const prepare = () => workload.rest(() => publishIdleTopics(context))
    const figures = await underAbuse(context, { fault: 'abuse-idle-topics', prepare, begin: restart })
    const after = await cpuPercent(idleMs)
    // Whoever is in the middle of a restart is refused, and slow.
    context.noteAbuse({ ...figures, abused: undefined, refused: {}, idleCpuPercent: after - before })
  },
})

/** Hundredths of a core that Redis needs meanwhile. */
async function cpuOf(redis: RedisAccess, meanwhile: () => Promise<void>): Promise<number> {
  const used = async () => {
    const said = String(await redis.call('INFO', 'cpu'))
    const of = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(said)?.[1])
    return of('used_cpu_sys') + of('used_cpu_user')
  }
  const [from, startedAt] = [await used(), performance.now()]
  await meanwhile()
  return ((await used()) - from) / ((performance.now() - startedAt) / 100_000)
}

export const abuses: readonly Fault[] = [...attacks, ...attacksAmongMany, idleTopics]
