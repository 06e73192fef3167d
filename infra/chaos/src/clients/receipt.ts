// What the system says of single events: to whoever published one and waited, and to whoever asks for it by its id.
import type { BookedEvent, Books } from './books.ts'
import { patiently } from '../clock.ts'
import type { Answer, Door } from './door.ts'
import type { Random } from '../random.ts'

/** What an answer to `Prefer: wait` said had come of the event; `lost` asks to publish it again. */
export interface Receipt {
  readonly status: 'stored' | 'duplicate' | 'conflict' | 'dead' | 'lost' | 'queued'
  readonly seq: number | undefined
  /** Which content was sent. */
  readonly variant: number
}

export const waiting = { prefer: 'wait=2' }

const statuses: { readonly [said: string]: Receipt['status'] } = {
  '200 stored': 'stored',
  '200 duplicate': 'duplicate',
  '202 queued': 'queued',
  '409 conflict': 'conflict',
  '422 dead_event': 'dead',
  '503 event_lost': 'lost',
}

/** Undefined for an answer that is no receipt, or one for another event. */
export function parseReceipt({ status, body }: Answer, id: string, variant: number): Receipt | undefined {
  const said = parse(body)
  const found = statuses[`${status} ${said?.status === status ? said.code : said?.status}`]
  if (found === undefined || (said?.event_id ?? id) !== id) return undefined
  const needsSeq = found === 'stored' || found === 'duplicate' || found === 'conflict'
  if (needsSeq && typeof said?.seq !== 'number') return undefined
  return { status: found, seq: said?.seq, variant }
}

interface Said {
  readonly status?: string | number
  readonly code?: string
  readonly event_id?: string
  readonly seq?: number
}

function parse(text: string): Said | undefined {
  try {
    return JSON.parse(text) as Said
  } catch {
    return undefined // whoever answered was not the gateway
  }
}

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
