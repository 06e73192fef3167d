import type { StoredEvent } from '@sekali/core/event'
import type { Place } from './place-of-error.ts'
import type { Source } from './source.ts'

/** What the process for definitions is to do, one request at a time. */
export type Request =
  | { readonly do: 'load'; readonly source: Source; readonly importMs: number }
  | {
      readonly do: 'prepare'
      readonly source: Source
      readonly name: string
      readonly events: readonly StoredEvent[]
    }
  | { readonly do: 'fold'; readonly before: ReadonlyMap<string, string> }

/** The first message, before any definition is imported. A later message without its key comes from a definition. */
export interface Hello {
  readonly key: string
}

export interface Call extends Hello {
  /** Random, and repeated in the answer. No definition sees it, so none can answer in place of another. */
  readonly id: string
  readonly request: Request
}

/** `isReady` comes once, before the first request. `stray` is the name of an error that no request waits for. */
export type Answer =
  | { readonly isReady: true }
  | { readonly id: string; readonly result: unknown }
  | {
      readonly id: string
      readonly refusal: string
      readonly isLate: boolean
      readonly place?: Place | undefined
    }
  | { readonly stray: string }

/**
 * The note: the index in the batch of the event that a definition gets next, at the beginning of an open file without a
 * name. A write to it is a copy into the kernel's memory; a pipe would cost the projector a read each time.
 */
export const noteFd = 4
export const noteBytes = 4
export const nothingNoted = 0xffff_ffff
