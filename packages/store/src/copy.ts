import { finished } from 'node:stream/promises'
import { from as copyFrom } from 'pg-copy-streams'
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
  const copy = tx.$client.query(copyFrom(statement))
  copy.end(rows.map((row, index) => `${topicId}\t${head + 1 + index}${row}`).join(''))
  await finished(copy)
}

// https://www.postgresql.org/docs/current/sql-copy.html, "Text Format"
const special = /[\\\n\r\t]/
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

const escaped = (text: string): string =>
  special.test(text) ? text.replace(/[\\\n\r\t]/g, (char) => escapes[char] ?? char) : text
