// Calls about dead letters and conflicts.

import { InvalidConfig } from '@sekali/core/errors'
import type { AnyPayload } from '../answers.ts'
import { checkQuery, requireText } from '../arguments.ts'
import { type Connection, call, jsonOf, nextQuery, search } from '../connection/connection.ts'
import type { Answer } from '../connection/request.ts'
import type { CallOptions, Retry } from '../connection/retry.ts'
import { Refused } from '../errors.ts'
import type { Letter, LettersQuery, LetterWithContent, Settled } from './letter.ts'

/** All that matches, newest first, page after page. */
export async function* listLetters(
  connection: Connection,
  query: LettersQuery = {},
  options: CallOptions = {},
): AsyncGenerator<Letter, void> {
  checkQuery(query)
  for (let next: string | undefined = search(query); next !== undefined; ) {
    const answer: Answer = await call(connection, `/dead-letters${next}`, { method: 'GET' }, options)
    yield* jsonOf<Letter[]>(answer, Array.isArray)
    next = nextQuery(answer.header('link'))
  }
}

export async function readLetter<Payload extends object = AnyPayload>(
  connection: Connection,
  id: string,
  options: CallOptions = {},
): Promise<LetterWithContent<Payload>> {
  return letterOf<LetterWithContent<Payload>>(await letterAnswer(connection, id, options))
}

/** The same as it comes, with the numbers that JSON.parse would round. */
export async function letterAnswer(connection: Connection, id: string, options: CallOptions = {}) {
  return await call(connection, pathOf(id), { method: 'GET' }, options)
}

/** Throws InvalidConfig for the id of an entry: it has nothing to be compared with. */
export function requireConflict(id: string): void {
  requireText('id', id)
  if (!id.startsWith('c-')) throw new InvalidConfig('only a conflict, c-…, can be compared')
}

export const discardLetter = (
  connection: Connection,
  id: string,
  reason: string,
  options: CallOptions = {},
): Promise<Letter> => {
  requireText('reason', reason)
  const isOurs = (settled: Settled) => settled.became === 'discarded' && settled.reason === reason
  return settle(connection, id, 'discard', { reason }, isOurs, options)
}

export const publishLetterAs = (
  connection: Connection,
  id: string,
  eventId: string,
  options: CallOptions = {},
): Promise<Letter> => {
  requireText('eventId', eventId)
  const isOurs = (settled: Settled) => settled.event_id === eventId
  return settle(connection, id, 'publish-as', { event_id: eventId }, isOurs, options)
}

/** POST. What an earlier try whose answer was lost has settled is then refused as settled: that is a success. */
async function settle(
  connection: Connection,
  id: string,
  how: 'discard' | 'publish-as',
  body: object,
  isOurs: (settled: Settled) => boolean,
  options: CallOptions,
): Promise<Letter> {
  let isRetried = false
  const onRetry = (retry: Retry) => {
    isRetried = true
    options.onRetry?.(retry)
  }
  try {
    return letterOf(await call(connection, `${pathOf(id)}/${how}`, jsonBody(body), { ...options, onRetry }))
  } catch (error) {
    if (!isRetried || !(error instanceof Refused && error.code === 'letter_settled')) throw error
    const letter = await readLetter(connection, id, options)
    if (letter.settled === undefined || !isOurs(letter.settled)) throw error
    return letter
  }
}

function pathOf(id: string): string {
  requireText('id', id)
  return `/dead-letters/${encodeURIComponent(id)}`
}

const letterOf = <T extends Letter>(answer: Answer): T =>
  jsonOf<T>(answer, (value) => 'id' in value && 'kept' in value)

/** A POST with a body of JSON. */
export const jsonBody = (body: object) =>
  ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }) as const
