// Calls about operations: actions that take long and go on by themselves, whichever gateway dies.
import {
  checkQuery,
  requireFunction,
  requireMs,
  requireText,
  requireWhole,
  timerMsMax,
} from '../arguments.ts'
import { type Connection, call, jsonOf, nextQuery, search } from '../connection/connection.ts'
import type { Answer } from '../connection/request.ts'
import { type CallOptions, type Retry, wait } from '../connection/retry.ts'
import type { LetterFilter } from './letter.ts'
import { jsonBody } from './letters.ts'

/** Which entries a redrive is about; with `subscription`, which deliveries. */
export interface RedriveFilter extends LetterFilter {
  /** This one entry, `e-…`, or delivery, `d-…`. */
  readonly id?: string | undefined
}

/** What a redrive would be about. */
export interface RedriveCount {
  readonly matched: number
  readonly by_reason: Readonly<Record<string, number>>
  /** Today's last entry: what comes later is not in a redrive that begins with this count. */
  readonly as_of: string
}

export interface RedriveStart {
  readonly filter?: RedriveFilter | undefined
  /** What the count said: `as_of`, and `matched`. If another number matches by now, it is Refused as `count_changed`. */
  readonly asOf: string
  readonly expect: number
  /** Events a second, from 1 to 10,000; 50 if it is not said. */
  readonly rate?: number | undefined
}

/** The same for deliveries, of one subscription. */
export interface DeliveriesRedrive extends Omit<RedriveStart, 'filter' | 'rate'> {
  readonly filter: RedriveFilter & { readonly subscription: string }
}

export interface RedrivenDeliveries extends RedriveCount {
  /** How many workers get again. */
  readonly redriven: number
}

/** An action that takes long. */
export interface Operation {
  readonly id: number
  readonly kind: 'redrive'
  readonly state: 'running' | 'done' | 'cancelled' | 'failed'
  readonly filter: RedriveFilter
  readonly as_of: string
  /** Events a second. */
  readonly rate: number
  /** How many letters there were when it began. */
  readonly matched: number
  /** How many of them it has come past, and what came of those: `redriven`, `not_an_event`, `settled_by_others`. */
  readonly done: number
  readonly outcomes: Readonly<Record<string, number>>
  readonly created_at: string
  readonly created_by: string
  readonly finished_at: string | null
  /** Why it has failed, in words. */
  readonly error?: string
}

export interface OperationsQuery {
  /** Only operations that are older than this one. */
  readonly before?: number | undefined
  /** Operations a request, from 1 to 1,000: all come, page after page. */
  readonly limit?: number | undefined
}

export interface WaitOptions extends CallOptions {
  /** Called with what is known of it, after each look; the last one is what is resolved with. */
  readonly onProgress?: ((operation: Operation) => void) | undefined
  /** Between two looks; 500 if it is not said. */
  readonly everyMs?: number | undefined
}

/** Counts the open entries, or deliveries, that a redrive would be about, and changes nothing. */
export const countRedrive = async (
  connection: Connection,
  filter: RedriveFilter = {},
  options: CallOptions = {},
): Promise<RedriveCount> => {
  checkQuery(filter)
  const answer = await call(connection, redrivePath, jsonBody({ filter, dry_run: true }), options)
  return jsonOf<RedriveCount>(answer, (value) => 'matched' in value && 'as_of' in value)
}

/** Begins a redrive of entries. */
export const startRedrive = async (
  connection: Connection,
  start: RedriveStart,
  options: CallOptions = {},
): Promise<Operation> => operationOf(await redrive(connection, start, options))

/** Has workers get deliveries again. It is done at once: no operation comes of it. */
export async function redriveDeliveries(
  connection: Connection,
  { filter, asOf, expect }: DeliveriesRedrive,
  options: CallOptions = {},
): Promise<RedrivenDeliveries> {
  requireText('filter.subscription', filter.subscription)
  const answer = await redrive(connection, { filter, asOf, expect }, options)
  return jsonOf<RedrivenDeliveries>(answer, (value) => 'redriven' in value)
}

/** It is asked for once: a second try after a lost answer could begin a second one. */
async function redrive(
  connection: Connection,
  { filter = {}, asOf, expect, rate }: RedriveStart,
  options: CallOptions,
): Promise<Answer> {
  checkQuery(filter)
  const onRetry = ({ error }: Retry) => {
    throw error
  }
  const body = jsonBody({ filter, as_of: asOf, expect, rate })
  return await call(connection, redrivePath, body, { ...options, onRetry })
}

const redrivePath = '/dead-letters/redrive'

/** All operations that the key covers, newest first, page after page. */
export async function* listOperations(
  connection: Connection,
  query: OperationsQuery = {},
  options: CallOptions = {},
): AsyncGenerator<Operation, void> {
  checkQuery(query)
  for (let next: string | undefined = search(query); next !== undefined; ) {
    const answer: Answer = await call(connection, `/operations${next}`, { method: 'GET' }, options)
    yield* jsonOf<Operation[]>(answer, Array.isArray)
    next = nextQuery(answer.header('link'))
  }
}

export const readOperation = async (
  connection: Connection,
  id: number,
  options: CallOptions = {},
): Promise<Operation> => operationOf(await call(connection, pathOf(id), { method: 'GET' }, options))

/** Ends it where it is; safe twice. What is done stays done. */
export const cancelOperation = async (
  connection: Connection,
  id: number,
  options: CallOptions = {},
): Promise<Operation> =>
  operationOf(await call(connection, `${pathOf(id)}/cancel`, { method: 'POST' }, options))

/** Looks until it has ended, well or not: its `state` says how. The operation goes on if nobody waits any more. */
export async function waitForOperation(
  connection: Connection,
  id: number,
  { onProgress, everyMs = 500, ...options }: WaitOptions = {},
): Promise<Operation> {
  requireFunction('onProgress', onProgress)
  requireMs('everyMs', everyMs, timerMsMax)
  // Ended by the operation, or by the signal.
  for (;;) {
    const operation = await readOperation(connection, id, options)
    onProgress?.(operation)
    if (operation.state !== 'running') return operation
    await wait(everyMs, options.signal)
  }
}

function pathOf(id: number): string {
  requireWhole('id', id, 1, Number.MAX_SAFE_INTEGER)
  return `/operations/${id}`
}

const operationOf = (answer: Answer): Operation =>
  jsonOf<Operation>(answer, (value) => 'id' in value && 'outcomes' in value)
