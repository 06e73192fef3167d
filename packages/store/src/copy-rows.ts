import type pg from 'pg'
import type { Tx } from './connect.ts'

/** Rows that are sent at a time: PostgreSQL begins while the next are encoded, and no string gets too long for V8. */
const rowsPerChunk = 128

/**
 * Adds rows with one COPY, however many they are. `into` is a table with its columns; `encode` gives a row's values in
 * that order, with tabs between them: texts through `copyText`. `opening` is sent along, before COPY, in the same message.
 */
export async function copyRows<T>(
  tx: Tx,
  into: string,
  rows: readonly T[],
  encode: (row: T) => string,
  opening = '',
): Promise<void> {
  if (rows.length === 0) return
  const { query, done } = copyIn(`${opening}COPY ${into} FROM STDIN`, rows.length, (from) => {
    let text = ''
    for (const row of rows.slice(from, from + rowsPerChunk)) text += `${encode(row)}\n`
    return text
  })
  tx.$client.query(query)
  await done
}

/** What its types leave out of pg's connection. */
interface CopyConnection {
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
}

/**
 * The COPY as pg runs queries that are not its own. Not pg-copy-streams: there a server that stalls, and answers when the
 * query has been given up, meets a stream that has let go of its connection, and the TypeError ends the process.
 *
 * The rows follow without a wait for the answer that asks for them: PostgreSQL passes over them if it refuses
 * the COPY.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY
 */
function copyIn(text: string, count: number, rowsFrom: (row: number) => string) {
  const { promise: done, resolve, reject } = Promise.withResolvers<void>()
  const query = {
    submit: (connection: pg.Connection) => {
      const copying = connection as pg.Connection & CopyConnection
      copying.query(text)
      for (let row = 0; row < count; row += rowsPerChunk) {
        copying.sendCopyFromChunk(Buffer.from(rowsFrom(row)))
      }
      copying.endCopyFrom()
    },
    handleCopyInResponse: () => {},
    handleCommandComplete: () => {},
    handleReadyForQuery: () => {
      query.callback()
      resolve()
    },
    handleError: (error: Error) => {
      query.callback()
      reject(error)
    },
    /** pg puts its read timeout around this one, so it must be called. */
    callback: () => {},
  }
  return { query, done }
}

// https://www.postgresql.org/docs/current/sql-copy.html, "Text Format"
const special = /[\\\n\r\t]/
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** How COPY writes a null. */
export const copyNull = '\\N'

export const copyText = (text: string): string =>
  special.test(text) ? text.replace(/[\\\n\r\t]/g, (char) => escapes[char] ?? char) : text
