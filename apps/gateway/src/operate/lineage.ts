/**
 * Whether PostgreSQL is an old primary that was left behind by a failover; see broker/turn/fence.ts. Consumers find it out in
 * their turns. A gateway has none, and would go on to read there, and to write what administrators do.
 */
import type { Broker } from '@sekali/broker/connect'
import { readFence } from '@sekali/broker/fence'
import { type Finding, ok, problem, unknown } from '@sekali/core/finding'
import { sentenceOf, troubleOf } from '@sekali/core/trouble'
import type { Store } from '@sekali/store/connect'
import { OldPrimary } from '@sekali/store/errors'
import { readLineage } from '@sekali/store/lineage'

interface Standing {
  readonly timeline: number
  /** The highest that a turn was on; undefined where there was none yet. */
  readonly highest: number | undefined
}

/** `undefined` of a standby. Rejects when a server is away. */
async function readStanding(broker: Broker, store: Store): Promise<Standing | undefined> {
  const lineage = await readLineage(store)
  if (lineage === undefined) return undefined
  return { timeline: lineage.timeline, highest: await readFence(broker, lineage.system) }
}

const isOld = ({ timeline, highest = 0 }: Standing): boolean => highest > timeline

/**
 * What keeps PostgreSQL from being the one to go on with, in words. Where there are other hosts, the store looks for the new
 * primary then. Rejects when a server is away.
 */
export async function checkLineage(broker: Broker, store: Store): Promise<string[]> {
  const standing = await readStanding(broker, store)
  if (standing === undefined || !isOld(standing)) return []
  store.leave('an old primary')
  return [sentenceOf(troubleOf('PostgreSQL', new OldPrimary(standing.timeline, standing.highest ?? 0)))]
}

/** The doctor's finding. Rejects when a server is away. */
export async function timelineFinding(broker: Broker, store: Store): Promise<Finding> {
  const check = 'postgres.timeline'
  const standing = await readStanding(broker, store)
  if (standing === undefined) return unknown(check, 'a replica has none of its own')
  const { timeline, highest } = standing
  if (!isOld(standing)) return ok(check, `${timeline}, and no turn was on a higher one`)
  const { what, remedy } = troubleOf('PostgreSQL', new OldPrimary(timeline, highest ?? 0))
  return problem(check, `${timeline}, and turns were on ${highest}: ${what}. Its turns are refused`, remedy)
}
