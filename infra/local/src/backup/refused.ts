import { SekaliError } from '@sekali/core/errors'

/** A file that is no backup, or no whole one. The message says what it is instead. */
export class BackupDamaged extends SekaliError {
  readonly code = 'backup_damaged'
  readonly retryable = false
}
