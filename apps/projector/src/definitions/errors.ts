import { SekaliError } from '@sekali/core/errors'
import type { Source } from '../confined/source.ts'

/** A file could not be imported. If it was late or got stuck, the machine may have been slow: it can be tried again. */
export class NotImported extends SekaliError {
  readonly code = 'definition_not_imported'
  readonly retryable: boolean

  constructor(cause: unknown) {
    super((cause as Error).message, { cause })
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
