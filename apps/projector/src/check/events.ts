import { fieldNames, type StoredEvent } from '@sekali/core/event'
import { createLineSplitter, isBlank, type Line } from '@sekali/core/lines'
import { readEvent } from '@sekali/core/parse'
import { findPayload } from '@sekali/core/payload'
import type { Finding } from './finding.ts'

const batchEventsMax = 1_000

/**
 * Reads lines of events, as they are sent or as they are kept, and hands them on in batches; `isRead` is whether to the end. What is no event is a problem
 * with its line. An event without a seq gets the next one of its topic.
 */
export async function readEvents(
  input: AsyncIterable<Uint8Array>,
  file: string,
  onBatch: (events: readonly StoredEvent[]) => Promise<void>,
): Promise<{ readonly count: number; readonly problems: readonly Finding[]; readonly isRead: boolean }> {
  const problems: Finding[] = []
  const heads = new Map<string, number>()
  let batch: StoredEvent[] = []
  let count = 0
  let isRead = true

  async function take({ number, text, issue }: Line): Promise<void> {
    if (text !== undefined && isBlank(text)) return
    const event = text === undefined ? (issue?.message ?? 'must be an event') : storedEvent(text, heads)
    if (typeof event === 'string') {
      problems.push({ found: 'problem', file, line: number, message: event })
      return
    }
    count += 1
    batch.push(event)
    if (batch.length < batchEventsMax) return
    await onBatch(batch)
    batch = []
  }

  try {
    const splitter = createLineSplitter()
    for await (const chunk of input) for (const line of splitter.split(chunk)) await take(line)
    if (splitter.begun() !== undefined) await take(splitter.take())
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && 'syscall' in error)) throw error
    problems.push({ found: 'problem', file, message: `cannot be read (${error.code})` })
    isRead = false
  }
  if (batch.length > 0) await onBatch(batch)
  return { count, problems, isRead }
}

/** The event of a line, or what is wrong with it. */
function storedEvent(text: string, heads: Map<string, number>): StoredEvent | string {
  let kept: Readonly<Record<string, unknown>>
  try {
    kept = JSON.parse(text)
  } catch {
    return 'must be the JSON of one event'
  }
  if (typeof kept !== 'object' || kept === null || Array.isArray(kept)) return 'must be the JSON of one event'
  const { seq, received_at, stored_at, ...sent } = kept
  const asKept = Number.isSafeInteger(seq)
  // Only of an event that the log had, Sekali's own fields may be there; of others they are a mistake.
  const event = readEvent(asKept ? withoutOwn(sent, text) : text)
  if (!('eventId' in event)) {
    return event.issues.map(({ path, message }) => `${path} ${message}`.trim()).join('; ') || 'must be JSON'
  }
  const next = asKept ? Number(seq) : (heads.get(event.topic) ?? 0) + 1
  heads.set(event.topic, next)
  const at = (time: unknown) => (typeof time === 'string' ? time : event.timestamp)
  return { ...event, seq: next, receivedAt: at(received_at), storedAt: at(stored_at) }
}

/** The payload's text is kept: to parse and print it would round its numbers. */
function withoutOwn(sent: Readonly<Record<string, unknown>>, text: string): string {
  const { payload, ...others } = sent
  const known = Object.keys(others).every((name) => fieldNames.some((field) => field === name))
  if (!known || payload === undefined) return text
  const members = Object.entries(others).map(([name, value]) => `"${name}":${JSON.stringify(value)},`)
  return `{${members.join('')}"payload":${findPayload(text).text ?? JSON.stringify(payload)}}`
}
