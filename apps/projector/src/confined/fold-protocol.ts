import type { StoredEvent } from '@sekali/core/event'
import type { Source } from './source.ts'

/** What is asked of the process for definitions; it answers one after the other. */
export type Request =
  | { readonly do: 'load'; readonly source: Source; readonly importMs: number }
  | {
      readonly do: 'prepare'
      readonly source: Source
      readonly name: string
      readonly events: readonly StoredEvent[]
    }
  | { readonly do: 'fold'; readonly before: ReadonlyMap<string, string> }

/** Comes first, before any definition is there. What comes later without its key is from a definition. */
export interface Hello {
  readonly key: string
}

export interface Asked extends Hello {
  /** Random, and in the answer again. No definition sees it, so none can answer in another one's place. */
  readonly id: string
  readonly request: Request
}

/** `isReady` comes once, before anything is asked. `stray` is the name of an error that nobody waits for. */
export type Answer =
  | { readonly isReady: true }
  | { readonly id: string; readonly result: unknown }
  | { readonly id: string; readonly refusal: string; readonly isLate: boolean }
  | { readonly stray: string }

/**
 * The note: the place of the event that a definition gets next, at the beginning of an open file without a name. A write
 * to it is a copy into the kernel's memory and wakes nobody, where a pipe would cost the projector a read each time.
 */
export const noteFd = 4
export const noteBytes = 4
export const nothingNoted = 0xffff_ffff
