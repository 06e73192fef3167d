// For when PostgreSQL was put back to an earlier state and Redis has lost its data, too.
import { type Connection, call, jsonOf } from '../connection/connection.ts'
import type { CallOptions } from '../connection/retry.ts'
import { jsonBody } from './letters.ts'

/** What an epoch in every topic would be about. */
export interface EpochsCount {
  readonly topics: number
  readonly events: number
  /** When the newest event was stored (UTC); null if there is none. */
  readonly newest_stored_at: string | null
  /** When PostgreSQL started (UTC), which is as a rule after it was put back. */
  readonly started_at: string
  /** Topics in which something was stored since then. */
  readonly stored_since_start: number
}

export interface EpochsBegun {
  readonly epoch: number
  readonly topics: number
}

/** Counts, and changes nothing. */
export const countForEpochs = async (
  connection: Connection,
  options: CallOptions = {},
): Promise<EpochsCount> =>
  jsonOf<EpochsCount>(
    await call(connection, epochsPath, jsonBody({ dry_run: true }), options),
    (value) => 'stored_since_start' in value,
  )

/** Begins the epoch. Tried again after a lost answer it may begin two, which tells readers no more than one. */
export const beginEpochs = async (
  connection: Connection,
  restoredAt: string | undefined,
  options: CallOptions = {},
): Promise<EpochsBegun> =>
  jsonOf<EpochsBegun>(
    await call(connection, epochsPath, jsonBody({ restored_at: restoredAt }), options),
    (value) => 'epoch' in value,
  )

const epochsPath = '/epochs'
