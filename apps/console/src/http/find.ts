import type { Stats } from '@sekali/client'
import { eventsOf, type LogEvent } from '../text/slices.ts'
import { isWild, patternShape, topicShape } from '../text/topic.ts'
import { call, getJson, pathOf } from './call.ts'
import { Problem } from './problem.ts'

/** What a text can mean that somebody typed into the box. */
export type Found =
  | { readonly kind: 'topic' | 'pattern'; readonly topic: string }
  | { readonly kind: 'events'; readonly events: readonly LogEvent[] }

/** A pattern, a topic if there is one of this name, and otherwise the events that have this id, in whichever topic. */
export async function find(text: string, signal: AbortSignal): Promise<Found> {
  if (isWild(text) && patternShape.test(text)) return { kind: 'pattern', topic: text }
  if (topicShape.test(text) && text.length <= 128) {
    if (await isTopic(text, signal)) return { kind: 'topic', topic: text }
  }
  return { kind: 'events', events: await findById(text, signal) }
}

/** A name that a key may not ask about can be an event's id all the same. */
async function isTopic(topic: string, signal: AbortSignal): Promise<boolean> {
  try {
    const { topics } = await getJson<Stats>(pathOf(['stats'], { topic, limit: 1 }), signal)
    return topics !== null && topics.length > 0
  } catch (error) {
    if (error instanceof Problem && error.code === 'forbidden') return false
    throw error
  }
}

async function findById(id: string, signal: AbortSignal): Promise<readonly LogEvent[]> {
  try {
    const { text } = await call(pathOf(['events'], { event_id: id, limit: 100 }), { signal })
    return eventsOf(text).filter(({ event_id: found }) => found === id)
  } catch (error) {
    // A text that can be no event id at all.
    if (error instanceof Problem && error.code === 'invalid_parameters') return []
    throw error
  }
}
