// What the system answers to whoever published an event and waited.
import type { Answer } from './door.ts'

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
