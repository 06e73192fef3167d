import type { TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import { createWorkQueue } from '@sekali/process/work-queue'
import { expect, test, vi } from 'vitest'
import { createSchedule, nextRound, onTurns, type Schedule } from '../src/schedule.ts'
import type { TurnReport } from '../src/turn.ts'
import { createMemory } from '../src/upkeep/memory.ts'

const flooded = 'flooded' as TopicName
const busy = 'busy' as TopicName

/** Takes the next turn, of a topic that has much. Returns whose it was. */
function turn(schedule: Schedule): TopicName {
  const round = nextRound(schedule)
  const topic = round?.topics[0] as TopicName
  const caughtUpTo = topic === busy ? ('1-0' as Position) : undefined
  const report: TurnReport = { topic, head: 1, packs: 9, entries: 1_000, chars: 9_000, caughtUpTo }
  if (round !== undefined) onTurns(schedule, round, [report], 5)
  return topic
}

test('a topic that is flooded has one turn at a time while others that have much wait', () => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] })
  try {
    const schedule = createSchedule(1_000, createWorkQueue<TopicName>(), createMemory())
    const turns = (count: number) =>
      Array.from({ length: count }, () => {
        vi.advanceTimersByTime(20)
        schedule.queue.add(busy)
        return turn(schedule)
      })
    for (const topic of [flooded, busy]) schedule.queue.add(topic)
    // A few in a row, as of any topic that has much.
    expect(turns(10).filter((topic) => topic === flooded).length).toBeGreaterThan(6)
    turns(60)
    expect(turns(10).filter((topic) => topic === flooded)).toHaveLength(5)
    // Alone it has all of them.
    schedule.queue.take(1, (topic) => topic === busy)
    expect([turn(schedule), turn(schedule), turn(schedule)]).toEqual([flooded, flooded, flooded])
  } finally {
    vi.useRealTimers()
  }
})
