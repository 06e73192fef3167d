import { SekaliError } from '@sekali/core/errors'

/**
 * A process of the local stack did not come up, or cannot be run here. The message ends with its last
 * words, or with the remedy.
 */
export class ServerFailed extends SekaliError {
  readonly code = 'server_failed'
  readonly retryable = false
}

/** The data directory belongs to a stack that runs. */
export class DataInUse extends SekaliError {
  readonly code = 'data_in_use'
  readonly retryable = false
}

/** Somebody else listens on the port that was asked for. */
export class PortTaken extends SekaliError {
  readonly code = 'port_taken'
  readonly retryable = false
}
