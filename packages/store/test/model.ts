import type { Received } from '../src/turn/copy.ts'

/** What must come of a topic's events, taken one by one. */
export function createModel() {
  const log: Received[] = []
  const conflicts: [seq: number, item: Received][] = []
  const content = ({ event: { source, payload } }: Received) => source + payload
  const line = (seq: number, { event: one, receivedAt }: Received) =>
    [one.topic, seq, one.eventId, one.source, one.payload, one.timestamp, receivedAt].join(' ')
  return {
    take(items: readonly Received[]) {
      const sum = { stored: 0, duplicates: 0, conflicts: 0 }
      for (const item of items) {
        const at = log.findIndex((one) => one.event.eventId === item.event.eventId)
        if (at === -1) {
          log.push(item)
          sum.stored++
        } else if (content(log[at] as Received) === content(item)) {
          sum.duplicates++
        } else {
          conflicts.push([at + 1, item])
          sum.conflicts++
        }
      }
      return sum
    },
    events: () => log.map((item, at) => line(at + 1, item)),
    conflicts: () => conflicts.map(([seq, item]) => line(seq, item)),
  }
}

/** Numbers below `max`, the same each time. */
export function chance(seed: number) {
  let state = seed
  return (max: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * max)
  }
}
