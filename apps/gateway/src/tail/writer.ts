/**
 * Writes to one client, and only while its socket takes it. All it remembers is the id behind what was written or passed
 * over, and the last id that the client was sent.
 */
import type { ServerResponse } from 'node:http'
import { writePieces } from '../http/backpressure.ts'
import { cut } from '../sockets/cut.ts'
import { limitStall } from '../sockets/stalls.ts'
import type { Frame, Segment } from './ring.ts'

export interface TailWriter {
  readonly outgoing: ServerResponse
  /** The id behind what was written or passed over. */
  readonly id: string
  /** The same place has another id now. */
  rename(id: string): void
  isOver(): boolean
  isFull(): boolean
  /** Writes what the client wants of a segment's events, from `index` on. */
  writeSegment(segment: Segment, index: number): void
  /** Writes frames in pieces, as the client takes them. Resolves with whether all was written, and taken. */
  writeFrames(frames: readonly Frame[]): Promise<boolean>
  /** Writes something if nothing was written for a while, so that both ends notice a dead connection. */
  beat(now: number): void
  /** Writes a comment, for whoever looks at the connection: readers of events pass over it. */
  say(text: string): void
  end(): void
}

export interface TailWriterOptions {
  /** The id behind which to begin. */
  readonly from: string
  /** Whether the client knows that id, because it named it. */
  readonly isFromKnown: boolean
  /** Only events of this source are written; undefined: all. */
  readonly source: string | undefined
  /** A client that takes nothing for so long although there is something for it is cut off. */
  readonly stalledMs: number
}

const heartbeatMs = 15_000
/** A client whose tail ends gets this long to take what was written. */
const endMs = 1_000
/**
 * A page of history is given to the socket in pieces: a stalled client keeps one piece in memory, or one event.
 */
const pageLimits = { pieceCharsMax: 16 * 1024, patienceMs: 500 } as const

export function createTailWriter(
  outgoing: ServerResponse,
  { from, isFromKnown, source, stalledMs }: TailWriterOptions,
): TailWriter {
  let id = from
  let sentId = from
  let wroteAt = performance.now()

  limitStall(outgoing, stalledMs)
  // Some readers take a block without data for an empty event, so it is sent only where the client cannot know the id: a
  // client that begins at `now` and is cut off before its first event would otherwise resume at a later `now`.
  write(isFromKnown ? 'retry: 1000\n' : `retry: 1000\nid: ${id}\n\n`, id)

  function write(what: Buffer | string, lastId: string): void {
    outgoing.write(what)
    sentId = lastId
    wroteAt = performance.now()
  }

  const isOver = () => outgoing.destroyed || outgoing.writableEnded
  const isFull = () => outgoing.writableNeedDrain

  return {
    outgoing,
    get id() {
      return id
    },
    rename(name) {
      if (sentId === id) sentId = name
      id = name
    },
    isOver,
    isFull,
    writeSegment(segment, index) {
      id = segment.ids.at(-1) ?? id
      if (source === undefined) return write(segment.bytes.subarray(startOf(segment, index)), id)
      const chosen = eventsOf(segment, index, source)
      if (chosen !== undefined) write(chosen.bytes, chosen.lastId)
    },
    async writeFrames(frames) {
      const chosen = source === undefined ? frames : frames.filter((frame) => frame.source === source)
      const texts = chosen.values().map(({ text }) => text)
      const written = await writePieces(outgoing, texts, pageLimits, (piece, count) => {
        id = chosen[count - 1]?.id ?? id
        write(piece, id)
      })
      if (written < chosen.length) return false
      id = frames.at(-1)?.id ?? id
      return !isFull()
    },
    beat(now) {
      // A stalled client needs nothing more before it has taken what waits; and a beat would count as progress.
      if (isOver() || outgoing.writableLength > 0 || now - wroteAt < Math.min(heartbeatMs, stalledMs / 2))
        return
      // A comment is a line, and needs no blank one behind it.
      write(sentId === id ? ':\n' : `id: ${id}\n\n`, id)
    },
    say(text) {
      if (!isOver()) outgoing.write(`: ${text}\n`)
    },
    end() {
      outgoing.end()
      setTimeout(() => {
        if (!outgoing.closed) cut(outgoing) // or the kernel would keep megabytes for a client that reads nothing
      }, endMs).unref()
    },
  }
}

const startOf = ({ ends }: Segment, index: number): number => (index === 0 ? 0 : (ends[index - 1] ?? 0))

/** The events of one source, from `index` on; undefined if there is none. */
function eventsOf(
  segment: Segment,
  index: number,
  source: string,
): { readonly bytes: Buffer; readonly lastId: string } | undefined {
  const { bytes, ends, ids, sources } = segment
  const parts: Buffer[] = []
  let lastId = ''
  for (let at = index; at < ends.length; at++) {
    if (sources[at] !== source) continue
    parts.push(bytes.subarray(startOf(segment, at), ends[at]))
    lastId = ids[at] ?? lastId
  }
  return parts.length === 0 ? undefined : { bytes: joined(parts), lastId }
}

/** In memory of its own: of Node's pool a client that takes nothing would keep a slab for each few events. */
function joined(parts: readonly Buffer[]): Buffer {
  const whole = Buffer.allocUnsafeSlow(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) at += part.copy(whole, at)
  return whole
}
