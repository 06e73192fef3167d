import { SekaliError } from '@sekali/core/errors'
import { Refusal } from '../confined/fold-process.ts'
import type { Place } from '../confined/place-of-error.ts'
import type { Source } from '../confined/source.ts'

/** A file could not be imported. If it was late or got stuck, the machine may have been slow: it can be tried again. */
export class NotImported extends SekaliError {
  readonly code = 'definition_not_imported'
  readonly retryable: boolean
  /** Where the import failed, if that is known. */
  readonly place: Place | undefined

  constructor(cause: unknown) {
    super((cause as Error).message, { cause })
    this.place = cause instanceof Refusal ? cause.place : undefined
    this.retryable = cause instanceof SekaliError && cause.retryable
  }
}

/** The process is new, and has not imported this definition yet. */
export class NotLoaded extends SekaliError {
  readonly code = 'definition_not_loaded'
  readonly retryable = true
  readonly source: Source

  constructor(source: Source) {
    super('the definition is not loaded')
    this.source = source
  }
}
