/** Operations in words. */
import type { Operation } from '@sekali/client/operate'
import type { Tone } from '../../components/basics.tsx'

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
