import type { Tx } from '../postgres/connect.ts'
import { copyRows } from '../postgres/copy-rows.ts'
import { type Numbered, numberedColumns, writeNumbered } from './copy.ts'

/** An event under an id that another content has, with the seq of the event that has the id. */
export interface Conflict extends Numbered {
  /** Whether its content is kept; otherwise a stub is. */
  readonly isKept: boolean
}

/** Keeps conflicts, in their order, for whoever has to sort them out. */
export const keepConflicts = (tx: Tx, conflicts: readonly Conflict[]): Promise<void> =>
  copyRows(tx, `conflicts (${numberedColumns})`, conflicts, (to, conflict) =>
    writeNumbered(to, conflict, conflict.isKept),
  )
