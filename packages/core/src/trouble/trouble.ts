import { rowsOf, socketRows } from './rows.ts'
import { type Server, urlVariables } from './variables.ts'

/**
 * What an error of Redis or PostgreSQL means for whoever runs Sekali, and what to do about it: one table, for the log,
 * readiness and doctor alike. The words are ours alone. A server's own text is matched and never passed on, because
 * it may quote what was sent.
 */
export interface Trouble {
  /** The server's own word for it: an SQLSTATE, the first word of Redis's error, a code of the socket or of TLS. */
  readonly code: string
  readonly what: string
  readonly remedy: string
}

/** The word for what nobody named: there was no answer. */
const silent = 'no answer'

/** What is wrong with a server, from what a call to it failed with; its causes are looked at too. */
export function troubleOf(server: Server, error: unknown): Trouble {
  return (
    knownTrouble(server, error) ?? {
      code: silent,
      what: `${server} does not answer`,
      remedy: `start it, or see whether ${urlVariables[server]} leads to it`,
    }
  )
}

/** The same, undefined for what is not in the table. */
export function knownTrouble(server: Server, error: unknown): Trouble | undefined {
  const rows = [...rowsOf[server], ...socketRows(server)]
  for (const { code, text } of causesOf(error)) {
    const row = rows.find(([matches]) => matches.test(text))
    if (row) return { code: code ?? row[3] ?? silent, what: row[1], remedy: row[2] }
  }
  return undefined
}

/** Of an error that shows by itself whose it is. */
export function troubleIn(error: Error): Trouble | undefined {
  if (error.name === 'ReplyError') return knownTrouble('Redis', error)
  const isSqlState = 'code' in error && /^[0-9A-Z]{5}$/.test(String(error.code)) && 'severity' in error
  return isSqlState ? knownTrouble('PostgreSQL', error) : undefined
}

export const sentenceOf = ({ code, what, remedy }: Trouble): string => `${what} (${code}): ${remedy}`

const depthMax = 8

/** What each error of a chain of causes is matched by, the innermost first: it is the one that knows. */
function causesOf(error: unknown, depth = 0): { readonly code: string | undefined; readonly text: string }[] {
  if (!(error instanceof Error) || depth > depthMax) return []
  const inner = [error.cause, ...(error instanceof AggregateError ? error.errors : [])]
  const causes = inner.flatMap((one) => causesOf(one, depth + 1))
  if ('retryable' in error) return causes // one of our own
  const given = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  const [word = ''] = /^[A-Z]{2,}\b/.exec(error.message) ?? []
  const isReply = error.name === 'ReplyError'
  const code = isReply ? word : given
  return [...causes, { code, text: isReply ? error.message : `${given ?? ''} ${error.message}` }]
}
