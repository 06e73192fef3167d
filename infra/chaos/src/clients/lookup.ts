// What the system answers to whoever asks for an event by its id.
import { patiently } from '../clock.ts'
import type { Random } from '../random.ts'
import type { BookedEvent, Books } from './books.ts'
import type { Door } from './door.ts'

/** What GET /events/{topic}/{event_id} answered when all was quiet. */
export interface Lookup {
  readonly topic: string
  readonly id: string
  readonly status: number
  readonly body: string
}

const lookupsPerTopic = 40

/** Asks for some of the booked events of each topic, acknowledged or not, and for one that nobody ever sent. */
export async function lookUp(door: Door, { topics }: Books, random: Random): Promise<Lookup[]> {
  const lookups: Lookup[] = []
  for (const [topic, events] of topics) {
    for (const id of [...sampleOf(events, random), 'nobody-1']) {
      const { status, body } = await patiently(() => door.get(`/events/${topic}/${id}`))
      lookups.push({ topic, id, status, body })
    }
  }
  return lookups
}

const sampleOf = (events: ReadonlyMap<string, BookedEvent>, random: Random): string[] => {
  const ids = [...events.keys()]
  return ids.length <= lookupsPerTopic ? ids : Array.from({ length: lookupsPerTopic }, () => random.pick(ids))
}
