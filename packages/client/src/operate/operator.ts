import type { AnyPayload } from '../answers.ts'
import { checkedCall } from '../arguments.ts'
import { type ConnectionOptions, connectionTo } from '../connection/connection.ts'
import type { CallOptions } from '../connection/retry.ts'
import { beginEpochs, countForEpochs, type EpochsBegun, type EpochsCount } from './epochs.ts'
import type { Comparison, Letter, LettersQuery, LetterWithContent } from './letter.ts'
import {
  discardLetter,
  letterAnswer,
  listLetters,
  publishLetterAs,
  readLetter,
  requireConflict,
} from './letters.ts'
import {
  cancelOperation,
  countRedrive,
  listOperations,
  type Operation,
  type OperationsQuery,
  type RedriveCount,
  type RedriveFilter,
  type RedriveStart,
  readOperation,
  startRedrive,
  type WaitOptions,
  waitForOperation,
} from './operations.ts'

/**
 * What operators do about what could not be stored, and after a restore. It takes a key with the scope admin. Calls are tried again and reject as
 * those of a `Client` do.
 *
 * Answers go through JSON.parse, which rounds integers beyond 2^53 and long decimals; `letterText` leaves the text as it came.
 */
export interface Operator {
  /** Dead letters and conflicts without their contents, newest first; open ones unless `state` says otherwise. */
  letters(query?: LettersQuery, options?: CallOptions): AsyncGenerator<Letter, void>
  letter<Payload extends object = AnyPayload>(
    id: string,
    options?: CallOptions,
  ): Promise<LetterWithContent<Payload>>
  /** The same as JSON text. */
  letterText(id: string, options?: CallOptions): Promise<string>
  /** A conflict and the event that has its id. Rejects with InvalidConfig for an entry. */
  compare<Payload extends object = AnyPayload>(
    id: string,
    options?: CallOptions,
  ): Promise<Comparison<Payload>>
  /** How many open entries a redrive would be about. Changes nothing. */
  countRedrive(filter?: RedriveFilter, options?: CallOptions): Promise<RedriveCount>
  /**
   * Begins to append entries once more, and resolves with the operation that does it. Rejects with Refused `count_changed` if
   * not as many match as are expected. It is not tried again: if no answer comes, `operations` says whether it has begun.
   */
  redrive(start: RedriveStart, options?: CallOptions): Promise<Operation>
  /** Marks a letter as done with; `reason` is for the audit log. */
  discard(id: string, reason: string, options?: CallOptions): Promise<Letter>
  /** Publishes the content of a conflict under another event id. */
  publishAs(id: string, eventId: string, options?: CallOptions): Promise<Letter>
  operations(query?: OperationsQuery, options?: CallOptions): AsyncGenerator<Operation, void>
  operation(id: number, options?: CallOptions): Promise<Operation>
  /** Ends an operation where it is; safe twice. What is done stays done. */
  cancel(id: number, options?: CallOptions): Promise<Operation>
  /** Resolves once an operation has ended, well or not: its `state` says how. */
  waitFor(id: number, options?: WaitOptions): Promise<Operation>
  /** What `beginEpochs` would be about. Changes nothing. */
  countForEpochs(options?: CallOptions): Promise<EpochsCount>
  /**
   * Begins another epoch of all logs, for when PostgreSQL was put back to an earlier state (at `restoredAt`, UTC; now if it is
   * not said) and Redis has lost its data, too. Safe twice.
   */
  beginEpochs(restoredAt?: string, options?: CallOptions): Promise<EpochsBegun>
}

/** Throws InvalidConfig for options that make no sense. Nothing is kept open, so nothing has to be closed. */
export function createOperator(options: ConnectionOptions = {}): Operator {
  const connection = connectionTo(options)
  return {
    letters: (query, options) => listLetters(connection, query, checkedCall(options)),
    letter: async (id, options) => readLetter(connection, id, checkedCall(options)),
    letterText: async (id, options) => (await letterAnswer(connection, id, checkedCall(options))).text,
    compare: async <Payload extends object>(id: string, options?: CallOptions) => {
      requireConflict(id)
      const letter = await readLetter<Payload>(connection, id, checkedCall(options))
      const { received, stored, differs, same_json } = letter
      return { received, stored, differs, same_json }
    },
    countRedrive: async (filter, options) => countRedrive(connection, filter, checkedCall(options)),
    redrive: async (start, options) => startRedrive(connection, start, checkedCall(options)),
    discard: async (id, reason, options) => discardLetter(connection, id, reason, checkedCall(options)),
    publishAs: async (id, eventId, options) => publishLetterAs(connection, id, eventId, checkedCall(options)),
    operations: (query, options) => listOperations(connection, query, checkedCall(options)),
    operation: async (id, options) => readOperation(connection, id, checkedCall(options)),
    cancel: async (id, options) => cancelOperation(connection, id, checkedCall(options)),
    waitFor: async (id, options) =>
      waitForOperation(connection, id, checkedCall(options, 'onProgress', 'everyMs')),
    countForEpochs: async (options) => countForEpochs(connection, checkedCall(options)),
    beginEpochs: async (restoredAt, options) => beginEpochs(connection, restoredAt, checkedCall(options)),
  }
}
