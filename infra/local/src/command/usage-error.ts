import { SekaliError } from '@sekali/core/errors'

/** An option names what cannot be worked with. The message says what to give instead. */
export class UsageError extends SekaliError {
  readonly code = 'usage'
  readonly retryable = false
}
