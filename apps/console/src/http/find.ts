import type { Stats } from '@sekali/client'
import { eventsOf, type LogEvent } from '../text/slices.ts'
import { call, getJson, pathOf } from './call.ts'
import { Problem } from './problem.ts'

/** What a text can mean that somebody typed into the box. */
export type Found =
  | { readonly kind: 'topic' | 'pattern'; readonly topic: string }
  | { readonly kind: 'events'; readonly events: readonly LogEvent[] }

const topicText = /^[\w-]+(\.[\w-]+)*$/
const patternText = /^(?:(?:[\w-]+|\*)\.)*(?:[\w-]+|\*|>)$/

/** A pattern, a topic if there is one of this name, and otherwise the events that have this id, in whichever topic. */
export async function find(text: string, signal: AbortSignal): Promise<Found> {
  if (/[*>]/.test(text) && patternText.test(text)) return { kind: 'pattern', topic: text }
  if (topicText.test(text) && text.length <= 128) {
    const { topics } = await getJson<Stats>(pathOf(['stats'], { topic: text, limit: 1 }), signal)
    if (topics !== null && topics.length > 0) return { kind: 'topic', topic: text }
  }
  return { kind: 'events', events: await findById(text, signal) }
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
