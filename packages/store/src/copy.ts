import type pg from 'pg'
import type { Received } from './commit.ts'
import type { Tx } from './connect.ts'

const statement =
  'COPY events (topic_id, seq, event_id, "timestamp", source, payload, received_at) FROM STDIN'

/** An event as a row of the log that only lacks its topic and number. */
export const rowOf = ({ event, receivedAt }: Received): string =>
  `\t${escaped(event.eventId)}\t${event.timestamp}\t${escaped(event.source)}\t${escaped(event.payload)}\t${receivedAt}\n`

/** Adds rows to the log, numbered from `head + 1` in their order. */
export async function copyRows(
  tx: Tx,
  topicId: number,
  head: number,
  rows: readonly string[],
): Promise<void> {
  if (rows.length === 0) return
  const { query, done } = copyIn(rows.map((row, index) => `${topicId}\t${head + 1 + index}${row}`).join(''))
  tx.$client.query(query)
  await done
}

/** What its types leave out of pg's connection. */
interface CopyConnection {
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
  sendCopyFail(reason: string): void
}

/**
 * The COPY as pg runs queries that are not its own. Not pg-copy-streams: there a server that stalls, and answers when the
 * query has been given up, meets a stream that has let go of its connection, and the TypeError ends the process.
 */
function copyIn(rows: string) {
  const { promise: done, resolve, reject } = Promise.withResolvers<void>()
  let isOver = false
  const query = {
    submit: (connection: pg.Connection) => connection.query(statement),
    handleCopyInResponse: (connection: CopyConnection) => {
      if (isOver) return connection.sendCopyFail('given up')
      connection.sendCopyFromChunk(Buffer.from(rows))
      connection.endCopyFrom()
    },
    handleCommandComplete: () => {},
    handleReadyForQuery: () => {
      query.callback()
      resolve()
    },
    handleError: (error: Error) => {
      isOver = true
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

const escaped = (text: string): string =>
  special.test(text) ? text.replace(/[\\\n\r\t]/g, (char) => escapes[char] ?? char) : text
