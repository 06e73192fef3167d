// The log as it is read back: over HTTP, page by page, and by SQL.
import { hash } from 'node:crypto'
import type { Door } from './door.ts'

export interface LogRow {
  readonly seq: number
  readonly id: string
  readonly source: string
  readonly timestamp: string
  /** As text, because parsing would hide what changed. */
  readonly payload: string
  readonly receivedAt: string
  /** The epoch of its topic's log in which it was read, if that is not the first. */
  readonly epoch?: number
}

/** All that an event has of its own; the time of receipt is Redis's. */
export const isSameRow = (a: LogRow | undefined, b: LogRow | undefined): boolean =>
  a?.seq === b?.seq &&
  a?.id === b?.id &&
  a?.source === b?.source &&
  a?.timestamp === b?.timestamp &&
  a?.payload === b?.payload

/** An event as a reader keeps it who has to remember a whole run. */
export interface Seen {
  readonly seq: number
  readonly id: string
  /** Of its source, timestamp and payload. */
  readonly digest: string
}

export const seenOf = ({ seq, id, source, timestamp, payload }: LogRow): Seen => ({
  seq,
  id,
  digest: hash('sha1', `${source}\n${timestamp}\n${payload}`, 'base64'),
})

const pageMax = 1_000

// An event, in the words of the API. Only the payload is free text, and ours never holds what follows it.
const eventForm =
  /\{"topic":"([^"]*)","event_id":"([^"]*)","timestamp":"([^"]*)","source":"([^"]*)","payload":(.*?),"seq":(\d+),"received_at":"([^"]*)","stored_at":"([^"]*)"(?:,"epoch":(\d+))?\}(?=[,\]}])/gs

/** All events in a text of JSON, in its order. */
export const parseEvents = (text: string): (LogRow & { readonly topic: string })[] =>
  [...text.matchAll(eventForm)].map(
    ([
      ,
      topic = '',
      id = '',
      timestamp = '',
      source = '',
      payload = '',
      seq = '',
      receivedAt = '',
      ,
      epoch,
    ]) => ({
      topic,
      seq: Number(seq),
      id,
      source,
      timestamp,
      payload,
      receivedAt,
      ...(epoch !== undefined && { epoch: Number(epoch) }),
    }),
  )

/** The events of a page's text. Throws when the text holds others than can be told apart. */
export function parsePage(text: string): LogRow[] {
  const rows = parseEvents(text).map(({ topic: _topic, ...row }) => row)
  const { length } = JSON.parse(text) as unknown[]
  if (rows.length !== length) throw new Error(`a page of ${length} events holds ${rows.length} in our words`)
  return rows
}

/** The place behind an event, as it is to be sent. */
export const placeBehind = (row: Pick<LogRow, 'seq' | 'epoch'> | undefined): string =>
  row === undefined ? '0' : row.epoch === undefined ? String(row.seq) : `${row.epoch}.${row.seq}`

/** What a reader is told who has read further than the log goes since a restore. */
export class Restored extends Error {
  readonly topic: string
  readonly forkedAt: number
  readonly cursor: string

  constructor(topic: string, forkedAt: number, cursor: string) {
    super(`${topic} was restored and has forked at ${forkedAt}`)
    this.topic = topic
    this.forkedAt = forkedAt
    this.cursor = cursor
  }
}

/** That answer, if it is one. */
export function restoredIn(status: number, body: string): Restored | undefined {
  if (status !== 409 || !body.includes('"code":"log_restored"')) return undefined
  const { topic, forked_at, cursor } = JSON.parse(body) as Record<string, string | number>
  return new Restored(String(topic), Number(forked_at), String(cursor))
}

/** One page after a place. Rejects unless it is answered with 200: with {@link Restored} if the log has forked before it. */
export async function readPage(door: Door, topic: string, after: string, limit = pageMax): Promise<LogRow[]> {
  const path = `/events?topic=${encodeURIComponent(topic)}&after=${after}&limit=${limit}`
  const { status, body } = await door.get(path)
  if (status !== 200) throw restoredIn(status, body) ?? new Error(`${path} was answered ${status}`)
  return parsePage(body)
}

/** The whole log of a topic, from the beginning. */
export async function readLog(door: Door, topic: string): Promise<LogRow[]> {
  const rows: LogRow[] = []
  for (;;) {
    const page = await readPage(door, topic, placeBehind(rows.at(-1)))
    // A page may hold less than was asked for and not be the last; one that does not move would never end.
    if (page.length === 0 || page.at(-1)?.seq === rows.at(-1)?.seq) return rows
    rows.push(...page)
  }
}
