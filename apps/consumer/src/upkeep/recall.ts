/**
 * A consumer remembers how far topics have come, so that it need not ask PostgreSQL about quiet ones. PostgreSQL may be put
 * back to an earlier state meanwhile, or a standby that lagged takes over: then what it remembers is of a state that is
 * gone. So the consumer that scans also looks, now and then, whether it is still the same state. If not, the topics that
 * are behind get turns: of what this consumer remembers, or of what Redis does (broker/turn/remembered.ts). What Redis does
 * not remember is seeded from the rows then, and whenever Redis may have lost it.
 */
import type { Broker } from '@sekali/broker/connect'
import { historyOf } from '@sekali/broker/history'
import { rememberRows } from '@sekali/broker/remember-rows'
import { type Remembered, readAllRemembered } from '@sekali/broker/remembered'
import type { TopicName } from '@sekali/core/event'
import { comparePositions } from '@sekali/core/position'
import type { Logger } from '@sekali/process/log'
import type { WorkQueue } from '@sekali/process/work-queue'
import type { Store } from '@sekali/store/connect'
import { readFirstForks } from '@sekali/store/forks'
import { type LogStanding, readLogStandings, readStandings, readStateName } from '@sekali/store/standing'
import type { Memory } from './memory.ts'

const lookEveryMs = 5_000

interface RecallDeps {
  readonly broker: Broker
  readonly store: Store
  readonly log: Logger
}

export interface Recall {
  /** The look: it never rejects, and does nothing while one is under way, or soon after one. */
  look(): Promise<void>
  /** The next look seeds what Redis does not remember, though nothing else has changed. */
  doubt(): void
}

export function createRecall(
  { broker, store, log }: RecallDeps,
  queue: WorkQueue<TopicName>,
  memory: Memory,
): Recall {
  let knownState: string | undefined
  let knownMemory: string | undefined
  let doubts = 0
  let lookedAt = Number.NEGATIVE_INFINITY
  let isLooking = false

  async function look(): Promise<void> {
    const state = await readStateName(store)
    lookedAt = performance.now()
    if (state !== knownState) await recallPositions(store, queue, memory)
    // Redis may have started with less than it had, or been emptied.
    const known = `${state} ${await historyOf(broker)} ${doubts}`
    if (known !== knownMemory) await recallLogs(broker, store, queue)
    knownState = state
    knownMemory = known
  }

  async function lookNowAndThen(): Promise<void> {
    if (isLooking || performance.now() - lookedAt < lookEveryMs) return
    isLooking = true
    // Without PostgreSQL the topics' turns find out.
    await look().catch((error: unknown) => log.debug({ err: error }, 'standings could not be read'))
    isLooking = false
  }

  return { look: lookNowAndThen, doubt: () => void doubts++ }
}

/** Notes up to where topics are accounted for, and queues those that are not as far as this consumer has seen them. */
async function recallPositions(store: Store, queue: WorkQueue<TopicName>, memory: Memory): Promise<void> {
  const standings = await readStandings(store)
  memory.known.clear() // rows may be gone
  for (const [topic, caughtUp] of memory.caughtUp) {
    const position = standings.get(topic)
    if (position !== undefined && comparePositions(position, caughtUp) >= 0) continue
    memory.caughtUp.delete(topic)
    queue.add(topic)
  }
  for (const [topic, position] of standings) {
    if (!memory.caughtUp.has(topic)) memory.caughtUp.set(topic, position)
  }
}

/** Queues the topics that are behind what Redis remembers, and has it remember the others as they are. */
async function recallLogs(broker: Broker, store: Store, queue: WorkQueue<TopicName>): Promise<void> {
  const memories = await readAllRemembered(broker)
  const logs = await readLogStandings(store)
  for (const topic of findBehind(memories, logs)) queue.add(topic)
  await rememberRows(broker, logs, memories, (topicIds) => readFirstForks(store.db, topicIds))
}

/** The topics that had come further, or were in a later epoch, when consumers last acknowledged. */
function findBehind(
  memories: ReadonlyMap<TopicName, Remembered>,
  logs: readonly LogStanding[],
): readonly TopicName[] {
  const rows = new Map(logs.map((log) => [log.topic, log]))
  const behind = [...memories].filter(([topic, last]) => {
    const { head, epoch } = rows.get(topic) ?? { head: 0, epoch: 1 }
    return last.epoch > epoch || (last.epoch === epoch && last.head > head)
  })
  return behind.map(([topic]) => topic)
}
