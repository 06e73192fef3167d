import { SekaliError } from '@sekali/core/errors'

/**
 * A server or process did not come up, or cannot be run here. The message ends with its last
 * words, or with the remedy.
 */
export class ServerFailed extends SekaliError {
  readonly code = 'server_failed'
  readonly retryable = false
}

/** The data directory belongs to a server, or to a stack, that runs. */
export class DataInUse extends SekaliError {
  readonly code = 'data_in_use'
  readonly retryable = false
}
