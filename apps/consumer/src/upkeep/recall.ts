/**
 * A consumer remembers how far topics have come, so that it need not ask PostgreSQL about quiet ones. PostgreSQL may be put
 * back to an earlier state meanwhile, or a standby that lagged takes over: then what it remembers is of a state that is
 * gone. So the consumer that scans also looks, now and then, whether it is still the same state. If not, the topics that
 * are behind get turns: of what this consumer remembers, or of what Redis does (broker/turn/remembered.ts).
 */
import type { Broker } from '@sekali/broker/connect'
import { readAllRemembered } from '@sekali/broker/remembered'
import type { TopicName } from '@sekali/core/event'
import { comparePositions } from '@sekali/core/position'
import type { Logger } from '@sekali/process/log'
import type { WorkQueue } from '@sekali/process/work-queue'
import type { Store } from '@sekali/store/connect'
import { readHeads } from '@sekali/store/heads'
import { readStandings, readStateName } from '@sekali/store/standing'
import type { Memory } from './memory.ts'

const lookEveryMs = 5_000

interface RecallDeps {
  readonly broker: Broker
  readonly store: Store
  readonly log: Logger
}

/** The look: it never rejects, and does nothing while one is under way, or soon after one. */
export function createRecall(
  { broker, store, log }: RecallDeps,
  queue: WorkQueue<TopicName>,
  memory: Memory,
): () => Promise<void> {
  let known: string | undefined
  let lookedAt = Number.NEGATIVE_INFINITY
  let isLooking = false

  async function look(): Promise<void> {
    const name = await readStateName(store)
    lookedAt = performance.now()
    if (name === known) return
    await recallPositions(store, queue, memory)
    for (const topic of await findBehind(broker, store)) queue.add(topic)
    known = name
  }

  return async () => {
    if (isLooking || performance.now() - lookedAt < lookEveryMs) return
    isLooking = true
    // Without PostgreSQL the topics' turns find out.
    await look().catch((error: unknown) => log.debug({ err: error }, 'standings could not be read'))
    isLooking = false
  }
}

/** Notes up to where topics are accounted for, and queues those that are not as far as this consumer has seen them. */
async function recallPositions(store: Store, queue: WorkQueue<TopicName>, memory: Memory): Promise<void> {
  const standings = await readStandings(store)
  memory.known.clear() // rows may be gone
  for (const [topic, caughtUp] of memory.caughtUp) {
    const position = standings.get(topic)
    if (position !== undefined && comparePositions(position, caughtUp) >= 0) continue
    memory.caughtUp.delete(topic)
    memory.committed.delete(topic)
    queue.add(topic)
  }
  for (const [topic, position] of standings) {
    if (!memory.caughtUp.has(topic)) memory.caughtUp.set(topic, position)
  }
}

/** The topics that had come further, or were in a later epoch, when consumers last acknowledged. */
async function findBehind(broker: Broker, store: Store): Promise<TopicName[]> {
  const remembered = await readAllRemembered(broker)
  // Of these nobody has read anything, and some may have been dropped.
  for (const [topic, { head, epoch }] of remembered) if (head === 0 && epoch === 1) remembered.delete(topic)
  if (remembered.size === 0) return []
  for (const { topic, head, epoch } of await readHeads(store)) {
    const last = remembered.get(topic)
    const isBehind = last !== undefined && (last.epoch > epoch || (last.epoch === epoch && last.head > head))
    if (!isBehind) remembered.delete(topic)
  }
  return [...remembered.keys()]
}
