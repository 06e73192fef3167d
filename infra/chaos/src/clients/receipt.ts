// What the system answers to whoever published an event and waited.
import type { Answer } from './door.ts'
import { type OutcomeName, outcomes } from './outcomes.ts'

const queued = { status: 'queued', answer: '202 queued', hasSeq: false } as const

type Known = (typeof outcomes)[OutcomeName] | typeof queued

/** What an answer to `Prefer: wait` said had come of the event; `lost` asks to publish it again. */
export interface Receipt {
  readonly status: Known['status']
  readonly seq: number | undefined
  /** Which content was sent. */
  readonly variant: number
}

export const waiting = { prefer: 'wait=2' }

const known: ReadonlyMap<string, Known> = new Map(
  [queued, ...Object.values(outcomes)].map((one) => [one.answer, one]),
)

/** Undefined for an answer that is no receipt, or one for another event. */
export function parseReceipt({ status, body }: Answer, id: string, variant: number): Receipt | undefined {
  const said = parse(body)
  const found = known.get(`${status} ${said?.status === status ? said.code : said?.status}`)
  if (found === undefined || (said?.event_id ?? id) !== id) return undefined
  if (found.hasSeq && typeof said?.seq !== 'number') return undefined
  return { status: found.status, seq: said?.seq, variant }
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
