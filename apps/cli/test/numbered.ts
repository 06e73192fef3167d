import { eventually } from '@sekali/testkit/eventually'
import { expect } from 'vitest'
import { run } from './command.ts'

/** Digits that JSON.parse would round, and would write in another way. */
export const payloadOf = (n: number): string => `{"n":${n},"id":9007199254740993,"total":12.50}`

/** Publishes events `e-1`, `e-2` and so on to a new topic; resolves once they are stored. */
export async function publishNumbered(url: string, topic: string, count: number): Promise<void> {
  const timestamp = '2026-01-01T00:00:00Z'
  const lines = Array.from({ length: count }, (_, n) => {
    const event = JSON.stringify({ topic, event_id: `e-${n + 1}`, timestamp, source: 's' })
    return `${event.slice(0, -1)},"payload":${payloadOf(n + 1)}}`
  })
  await run(['publish'], url, lines.join('\n'))
  await eventually(async () => {
    const { out } = await run(['stats', topic, '--json'], url)
    expect(JSON.parse(out).topics[0].stored).toBe(count)
  }, 10_000)
}
