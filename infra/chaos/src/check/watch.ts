/**
 * What a run must leave as it found it: memory, connections, names. Looked at before the first fault, when the
 * system is warm, and again after the drain.
 */

import type { Door } from '../clients/door.ts'
import { until } from '../clock.ts'
import type { Processes, Target } from '../targets/target.ts'

export interface Sample {
  /** Kilobytes in memory, by part. */
  readonly memory: ReadonlyMap<string, number>
  /** Sessions of the apps in PostgreSQL, by application name; and those that sit in a transaction. */
  readonly sessions: number | undefined
  readonly inTransaction: number | undefined
  /** Clients of the apps in Redis, by name. */
  readonly clients: readonly string[] | undefined
  /** How many consumers run; undefined where nobody can tell. */
  readonly running: number | undefined
  /** How many gateways run; one where nobody can tell. */
  readonly gateways: number
  /** How many dispatchers run; none where nobody can tell. */
  readonly dispatchers: number
  /** Names of consumers in /stats. */
  readonly present: readonly string[]
  /** Names of consumers in the groups of the topics' streams. */
  readonly grouped: readonly string[]
  /** How many of these may be of consumers that are gone. */
  readonly extraNames: number
}

export async function takeSample(target: Target, door: Door, topics: readonly string[]): Promise<Sample> {
  const { processes, sql, redis } = target
  const [sessions] =
    (await sql?.rows(`
      SELECT count(*) AS all, count(*) FILTER (WHERE state LIKE 'idle in transaction%'
        AND now() - state_change > interval '1 second') AS stuck
      FROM pg_stat_activity WHERE application_name LIKE 'sekali/%'`)) ?? []
  const parts = await processes?.parts()
  const countOf = (kind: string) => parts?.filter((part) => part.kind === kind).length
  const clients = redis && String(await redis.call('CLIENT', 'LIST'))
  const { body } = await door.get('/stats?limit=1')
  const { consumers } = JSON.parse(body) as { consumers: { name: string }[] | null }
  if (consumers === null) throw new Error('/stats does not know the consumers')
  return {
    memory: processes ? await memoryOf(processes) : new Map(),
    sessions: sessions && Number(sessions.all),
    inTransaction: sessions && Number(sessions.stuck),
    clients: clients?.match(/(?<= name=)sekali-\S*/g) ?? (clients === undefined ? undefined : []),
    running: countOf('consumer'),
    gateways: countOf('gateway') ?? 1,
    dispatchers: countOf('dispatcher') ?? 0,
    present: consumers.map(({ name }) => name),
    grouped: await namesInGroups(target, topics),
    extraNames: target.strayNames(),
  }
}

async function memoryOf(processes: Processes): Promise<Map<string, number>> {
  const memory = new Map<string, number>()
  for (const part of await processes.parts()) {
    if (part.kind === 'redis' || part.kind === 'postgres') continue // they have caches
    const used = await processes.memoryKb(part).catch(() => undefined)
    if (used !== undefined) memory.set(part.name, used)
  }
  return memory
}

async function namesInGroups({ redis }: Target, topics: readonly string[]): Promise<string[]> {
  if (redis === undefined) return []
  const names = new Set<string>()
  for (const topic of topics) {
    const key = `${redis.prefix}:stream:${topic}`
    const groups = ((await redis.call('XINFO', 'GROUPS', key).catch(() => [])) ?? []) as unknown[][]
    for (const group of groups) {
      const consumers = (await redis.call('XINFO', 'CONSUMERS', key, String(group[1]))) as unknown[][]
      for (const consumer of consumers) names.add(String(consumer[1]))
    }
  }
  return [...names]
}

const settleMs = 15_000
const memoryFactorMax = 2
const memorySlackKb = 150 * 1024

/** What is not back, in words; waits a while for it, because sessions and names need a moment to end. */
export async function findLeaks(
  before: Sample,
  sample: () => Promise<Sample>,
  signal: AbortSignal,
): Promise<string[]> {
  let leaks = ['it could not be looked at']
  await until(
    async () => {
      leaks = compare(before, await sample())
      return leaks.length === 0
    },
    settleMs,
    signal,
  )
  return leaks
}

function compare(before: Sample, after: Sample): string[] {
  const leaks: string[] = []
  const more = (what: string, was: number | undefined, is: number | undefined, slack = 0) => {
    if (was !== undefined && is !== undefined && is > was + slack)
      leaks.push(`${what}: ${was} before, ${is} after`)
  }
  for (const [part, was] of before.memory) {
    const most = Math.max(was * memoryFactorMax, was + memorySlackKb)
    more(`memory of ${part} in KB`, was, after.memory.get(part), most - was)
  }
  // A pool may have opened all it may: two for a consumer and for the projector, eight for a gateway and a dispatcher.
  const poolMax =
    2 * ((after.running ?? before.present.length) + 1) + 8 * (before.gateways + before.dispatchers)
  more('sessions in PostgreSQL', Math.max(before.sessions ?? 0, poolMax), after.sessions)
  more('sessions that sit in a transaction', 0, after.inTransaction)
  const moreClients = countOfEach(after.clients)
    .filter(([name, count]) => count > (before.clients?.filter((one) => one === name).length ?? 0))
    .map(([name]) => name)
  more(`clients of Redis (more of ${moreClients.join(', ')})`, before.clients?.length, after.clients?.length)
  more(
    'names of consumers in the groups',
    after.running ?? before.present.length,
    after.grouped.length,
    after.extraNames,
  )
  // A consumer of compose is another one after every start: its name has a random end.
  const running = after.running ?? before.present.length
  if (running !== after.present.length)
    leaks.push(`consumers: ${running} run, /stats shows ${after.present.join(', ') || 'none'}`)
  return leaks
}

const countOfEach = (names: readonly string[] = []): [name: string, count: number][] =>
  [...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length])
