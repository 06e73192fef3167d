/** Projections as the API has them. */
import type { Tone } from '../../components/basics.tsx'

/** The event at which it failed, or that it skipped. */
export interface EventTrouble {
  readonly topic: string
  readonly seq: number
  readonly event_id: string
  readonly message: string
}

export interface FileTrouble {
  readonly file: string
  readonly line?: number
  readonly message: string
}

interface Skipped {
  readonly count: number
  readonly last: EventTrouble
}

export interface Projection {
  readonly name: string
  readonly version: number
  readonly status: 'live' | 'building' | 'failed' | 'orphaned' | 'not_loaded'
  readonly keyed: boolean
  readonly as_of: Readonly<Record<string, number>> | null
  readonly lag: number
  readonly error?: EventTrouble | FileTrouble
  readonly skipped?: Skipped
  readonly rebuild?: Rebuild
}

interface Rebuild {
  readonly version: number
  readonly status: 'building' | 'failed'
  readonly lag: number
  readonly error?: EventTrouble
  readonly skipped?: Skipped
}

export const tones: Readonly<Record<Projection['status'], Tone>> = {
  live: 'ok',
  building: 'accent',
  failed: 'problem',
  orphaned: 'warning',
  not_loaded: 'problem',
}

export const statusWords: Readonly<Record<Projection['status'], string>> = {
  live: 'live',
  building: 'building',
  failed: 'failed',
  orphaned: 'nobody folds it',
  not_loaded: 'does not load',
}

export const isOfEvent = (error: EventTrouble | FileTrouble): error is EventTrouble => 'topic' in error
