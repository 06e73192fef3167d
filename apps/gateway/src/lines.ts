/**
 * A stream of events, one a line (application/x-ndjson), of any length: read in portions, each of which is in Redis
 * before the next is read, so that a slow Redis slows the client and memory stays bounded.
 *
 * Lines that are no events are named by number, and the others are queued all the same: a stream has no whole that
 * could be refused. If any line was bad the answer is 422, so that nobody who looks at the status alone believes
 * that all were taken.
 */
import type { IncomingMessage } from 'node:http'
import { ClientLimit, InvalidEvent, MalformedJson, Overloaded, SekaliError } from '@sekali/core/errors'
import type { Event } from '@sekali/core/event'
import { parseEvent } from '@sekali/core/parse'
import { limits } from '@sekali/core/limits'
import { IncompleteBody, pieceBytes } from './body.ts'
import type { Share } from './budget.ts'
import { type BadLine, refusal } from './problem.ts'
import type { PublishDeps } from './publish.ts'
import { type Answer, answer } from './reply.ts'

/** Events and bytes that are read ahead of Redis. */
const portionEventsMax = 500
const portionBytesMax = 512 * 1024
/** Bad lines that are named; all are counted. */
const badLinesNamedMax = 100
/** A client that sends nothing for so long is hung up on. */
const silenceMs = 15_000

export async function publishLines(deps: PublishDeps, request: IncomingMessage): Promise<Answer> {
  using share = deps.budget.share(deps.clients.of(request))
  let queued = 0
  let invalid = 0
  const bad: BadLine[] = []
  try {
    for await (const portion of portionsOf(request, share)) {
      const events: Event[] = []
      for (const { number, text } of portion) {
        const result = readLine(text)
        if (result === undefined) continue
        if ('eventId' in result) events.push(result)
        else if (++invalid <= badLinesNamedMax) bad.push({ line: number, errors: result.errors })
      }
      if (events.length === 0) continue
      const appended = await deps.appender.appendAll(events)
      queued += appended.queued
      deps.onAccepted(appended.queued)
      if (appended.failure) return refusal('broker_unavailable', { queued, random: deps.random })
    }
  } catch (error) {
    if (error instanceof IncompleteBody) return refusal('incomplete_body', { queued })
    if (error instanceof Overloaded || error instanceof ClientLimit) {
      return refusal(error.code, { queued, random: deps.random })
    }
    throw error
  }
  if (invalid > 0) return refusal('invalid_lines', { queued, invalid, lines: bad })
  return answer(200, `{"status":"queued","queued":${queued}}`)
}

interface Line {
  /** From 1. */
  readonly number: number
  /** `undefined` for a line that is longer than an event can be, or is not UTF-8. */
  readonly text: string | undefined
}

function readLine(text: string | undefined): Event | Pick<BadLine, 'errors'> | undefined {
  const refused = (code: string, message: string) => ({ errors: [{ path: '', code, message }] })
  if (text === undefined) {
    return refused('invalid_line', `must be at most ${limits.bodyBytesMax} bytes of UTF-8`)
  }
  if (text.trim() === '') return undefined
  try {
    return parseEvent(text)
  } catch (error) {
    if (error instanceof InvalidEvent) return { errors: error.issues }
    if (error instanceof MalformedJson) return refused('malformed_json', 'must be JSON')
    throw error
  }
}

const newline = 0x0a

/**
 * The lines of a body, in portions. Between two chunks a stream holds no more than a line's beginning. Throws
 * IncompleteBody when the client leaves or falls silent, and Overloaded.
 */
async function* portionsOf(request: IncomingMessage, share: Share): AsyncGenerator<Line[]> {
  const lines = createSplitter()
  let portion: Line[] = []
  let portionBytes = 0
  for await (const chunk of heard(request)) {
    share.hold(lines.heldBytes() + chunk.length)
    let from = 0
    for (;;) {
      const at = chunk.indexOf(newline, from)
      const end = at === -1 ? chunk.length : at
      lines.add(chunk.subarray(from, end))
      if (at === -1) break
      portionBytes += end - from
      portion.push(lines.take())
      from = at + 1
      if (portion.length >= portionEventsMax || portionBytes >= portionBytesMax) {
        yield portion
        portion = []
        portionBytes = 0
      }
    }
    // Nothing waits for a client that pauses.
    if (portion.length > 0) yield portion
    portion = []
    portionBytes = 0
    share.hold(lines.heldBytes())
  }
  if (!lines.isEmpty()) yield [lines.take()]
}

/** Collects the pieces of a line; of one that gets too long it only remembers that. */
function createSplitter() {
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  let number = 0
  let pieces: Uint8Array[] = []
  let bytes = 0
  const decode = () => {
    if (bytes > limits.bodyBytesMax) return undefined
    try {
      return utf8.decode(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces))
    } catch {
      return undefined // not UTF-8: said as a bad line
    }
  }
  return {
    isEmpty: () => bytes === 0,
    heldBytes: () => (pieces.length === 0 ? 0 : bytes + pieces.length * pieceBytes),
    add(piece: Uint8Array) {
      bytes += piece.length
      if (bytes > limits.bodyBytesMax) pieces = []
      else if (piece.length > 0) pieces.push(piece)
    },
    take(): Line {
      number += 1
      const line = { number, text: decode() }
      pieces = []
      bytes = 0
      return line
    },
  }
}

async function* heard(request: IncomingMessage): AsyncGenerator<Buffer> {
  // Nothing of the connection is destroyed with it: the client is still to hear the answer.
  const chunks = request.iterator({ destroyOnReturn: false })
  try {
    for (;;) {
      const { value, done } = await withinSilence(chunks.next())
      if (done) return
      yield value
    }
  } catch (error) {
    throw error instanceof SekaliError ? error : new IncompleteBody('the stream broke off', { cause: error })
  } finally {
    chunks.return?.().catch(() => undefined) // what is left of it is of no use
  }
}

async function withinSilence<T>(read: Promise<T>): Promise<T> {
  const silence = Promise.withResolvers<never>()
  const timer = setTimeout(() => silence.reject(new IncompleteBody('the stream fell silent')), silenceMs)
  try {
    return await Promise.race([read, silence.promise])
  } finally {
    clearTimeout(timer)
  }
}
