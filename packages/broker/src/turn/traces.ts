import type { TopicName } from '@sekali/core/event'
import { comparePositions, type Position } from '@sekali/core/position'
import { askAll, type Broker } from '../redis/connect.ts'
import { tracesKey } from '../redis/keys.ts'

/** The packs of a turn, by the first and the last one's id. */
export interface Packs {
  readonly first: Position
  readonly last: Position
}

/**
 * The traces that were stored beside the packs of topics' turns, which are given in their order; see append/traces.ts. For
 * each turn those of its packs. They are taken away, of all topics in one write: each write that Redis flushes to its disk
 * keeps whoever publishes waiting. What lies between the turns belongs to another consumer's, and stays. Rejects with
 * `BrokerUnavailable`.
 */
export async function takeTraces(
  broker: Broker,
  turnsOf: ReadonlyMap<TopicName, readonly Packs[]>,
): Promise<Map<TopicName, string[][]>> {
  const asked = [...turnsOf].filter(([, turns]) => turns.length > 0)
  const found = await askAll(broker, 'look at traces', (redis) =>
    asked.map(([topic, turns]) => {
      const [first, last] = [turns[0] as Packs, turns.at(-1) as Packs]
      return redis.xrange(tracesKey(broker, topic), first.first, last.last)
    }),
  )
  const taken = asked.map(([topic, turns], index) => {
    const traces = found[index]
    // Otherwise it is somebody else's key.
    return { topic, ...shareOut(turns, Array.isArray(traces) ? (traces as Trace[]) : []) }
  })
  const removed = taken.filter(({ ids }) => ids.length > 0)
  if (removed.length > 0)
    await askAll(broker, 'removal of traces', (redis) =>
      removed.map(({ topic, ids }) => redis.xdel(tracesKey(broker, topic), ...ids)),
    )
  return new Map(taken.map(({ topic, traceparents }) => [topic, traceparents]))
}

type Trace = readonly [id: Position, fields: string[]]

/** Which traces are whose, and the ids of those that are somebody's. */
function shareOut(turns: readonly Packs[], traces: readonly Trace[]) {
  const ids: Position[] = []
  let at = 0
  const traceparents = turns.map((turn) => {
    const own: string[] = []
    for (; at < traces.length; at++) {
      const [id, fields] = traces[at] as Trace
      if (comparePositions(id, turn.last) > 0) break
      if (comparePositions(id, turn.first) < 0) continue
      ids.push(id)
      own.push(...fields.slice(1, 2))
    }
    return own
  })
  return { ids, traceparents }
}
