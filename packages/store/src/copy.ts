import type pg from 'pg'
import type { Received } from './commit.ts'
import type { Tx } from './connect.ts'

/** Rows that are sent at a time: PostgreSQL begins while the next are encoded, and no string gets too long for V8. */
const rowsPerChunk = 128

/** An event as it goes into the log. */
export interface Numbered extends Received {
  readonly topicId: number
  readonly seq: number
}

/** Adds events to the log. `opening` is sent along, before COPY, in the same message. */
export async function copyEvents(tx: Tx, events: readonly Numbered[], opening = ''): Promise<void> {
  if (events.length === 0) return
  const { query, done } = copyIn(`${opening}${statement}`, events.length, (from) =>
    encode(events.slice(from, from + rowsPerChunk)),
  )
  tx.$client.query(query)
  await done
}

const statement =
  'COPY events (topic_id, seq, event_id, "timestamp", source, payload, received_at) FROM STDIN'

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

function encode(events: readonly Numbered[]): string {
  let text = ''
  for (const { topicId, seq, event, receivedAt } of events) {
    const { eventId, timestamp, source, payload } = event
    text +=
      `${topicId}\t${seq}\t${escaped(eventId)}\t${timestamp}\t${escaped(source)}` +
      `\t${escaped(payload)}\t${receivedAt}\n`
  }
  return text
}

// https://www.postgresql.org/docs/current/sql-copy.html, "Text Format"
const special = /[\\\n\r\t]/
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

const escaped = (text: string): string =>
  special.test(text) ? text.replace(/[\\\n\r\t]/g, (char) => escapes[char] ?? char) : text
