import type pg from 'pg'
import { type BinaryRows, chunkBytes, writeBinary } from './binary-rows.ts'
import type { Tx } from './connect.ts'

/**
 * Adds rows with one COPY, however many they are. `into` is a table with its columns; `write` writes a row's values in
 * that order. `opening` is sent along, before COPY, in the same message.
 */
export async function copyRows<T>(
  tx: Tx,
  into: string,
  rows: readonly T[],
  write: (to: BinaryRows, row: T) => void,
  opening = '',
): Promise<void> {
  if (rows.length === 0) return
  const { query, done } = copyIn(`${opening}COPY ${into} FROM STDIN (FORMAT binary)`, (send) =>
    writeBinary(rows, write, send),
  )
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
 * the COPY. What is shorter than a chunk goes in one write with the statement, which wakes PostgreSQL once: of a turn of a
 * few events that is most of what sending costs.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY
 */
function copyIn(text: string, sendAll: (send: (chunk: Buffer) => void) => void) {
  const { promise: done, resolve, reject } = Promise.withResolvers<void>()
  const query = {
    submit: (connection: pg.Connection) => {
      const copying = connection as pg.Connection & CopyConnection
      const { stream } = copying
      stream.cork()
      try {
        copying.query(text)
        sendAll((chunk) => {
          copying.sendCopyFromChunk(chunk)
          if (chunk.length < chunkBytes) return
          stream.uncork()
          stream.cork()
        })
        copying.endCopyFrom()
      } finally {
        stream.uncork()
      }
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
