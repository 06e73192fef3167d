/** Operations as the API has them. */
import type { Tone } from '../../components/basics.tsx'
import type { RedriveFilter } from '../letters/redrive.tsx'

export interface Operation {
  readonly id: number
  readonly kind: string
  readonly state: 'running' | 'done' | 'cancelled' | 'failed'
  readonly filter: RedriveFilter
  readonly as_of: string
  /** Events a second. */
  readonly rate: number
  readonly matched: number
  readonly done: number
  readonly outcomes: Readonly<Record<string, number>>
  readonly created_at: string
  readonly created_by: string
  readonly finished_at: string | null
  readonly error?: string
}

/** While something runs, people watch it. */
export const runningMs = 1_000

export const tones: Readonly<Record<Operation['state'], Tone>> = {
  running: 'accent',
  done: 'ok',
  cancelled: 'unknown',
  failed: 'problem',
}

const outcomeNames: Readonly<Record<string, string>> = {
  redriven: 'redriven: appended once more',
  not_an_event: 'no event: nothing could be appended, they stay open',
  settled_by_others: 'settled by somebody else meanwhile',
}

export const outcomeWords = (outcome: string): string => outcomeNames[outcome] ?? outcome.replaceAll('_', ' ')
