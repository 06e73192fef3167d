/**
 * The newest events of a feed, in the form in which they go to clients. They are formatted once and shared by all
 * readers: what waits in a slow socket are these very bytes.
 *
 * An event has an ordinal here, 0, 1, 2 …, and an id: the cursor behind it. A reader whose id the ring knows can go on
 * from here; any other has to read history first.
 */
import { eventToLine, type StoredEvent } from '@sekali/core/event'

export interface Frame {
  /** The cursor behind the event. */
  readonly id: string
  readonly source: string
  readonly text: string
}

/** The event as a Server-Sent Event: https://html.spec.whatwg.org/multipage/server-sent-events.html */
export const frameOf = (id: string, event: StoredEvent): Frame => ({
  id,
  source: event.source,
  text: `id: ${id}\ndata: ${eventToLine(event)}\n\n`,
})

export interface Segment {
  /** The ordinal of its first event. */
  readonly first: number
  readonly bytes: Buffer
  /** The offset in `bytes` at which each event ends. */
  readonly ends: readonly number[]
  readonly ids: readonly string[]
  readonly sources: readonly string[]
}

export interface Ring {
  /** The cursor behind the last event. */
  readonly endId: string
  /** What it takes. */
  readonly bytes: number
  append(frames: readonly Frame[]): void
  /** Lets the oldest go until it takes no more than that. */
  trim(bytesMax: number): void
  /** The ordinal of the event that follows this cursor, or that will. */
  after(id: string): number | undefined
  /** `undefined` when the event is not there yet, or not any more. */
  segmentWith(ordinal: number): Segment | undefined
  /** Whether the event has been there and is gone. */
  isGone(ordinal: number): boolean
}

/** A reader that is slow keeps at most a few of these in memory. */
const segmentBytesMax = 16 * 1024
/** What an event and a segment take beside their bytes, roughly. */
const eventOverheadBytes = 128
const segmentOverheadBytes = 256

/** A ring that begins behind `startId`. */
export function createRing(startId: string): Ring {
  const segments: Segment[] = []
  const ordinalAfter = new Map([[startId, 0]])
  let endId = startId
  let next = 0
  let bytes = 0

  function add(frames: readonly Frame[]): void {
    const segment = segmentOf(frames, next)
    for (const { id } of frames) ordinalAfter.set(id, ++next)
    endId = segment.ids.at(-1) ?? endId
    segments.push(segment)
    bytes += sizeOf(segment)
  }

  function dropFirst(): void {
    const segment = segments.shift()
    if (segment === undefined) return
    bytes -= sizeOf(segment)
    // The cursor before the first event that is left stays known.
    ordinalAfter.delete(startId)
    for (const id of segment.ids.slice(0, -1)) ordinalAfter.delete(id)
    startId = segment.ids.at(-1) ?? startId
  }

  return {
    get endId() {
      return endId
    },
    get bytes() {
      return bytes
    },
    append(frames) {
      for (const portion of portionsOf(frames)) add(portion)
    },
    trim(bytesMax) {
      while (bytes > bytesMax && segments.length > 0) dropFirst()
    },
    after: (id) => ordinalAfter.get(id),
    isGone: (ordinal) => ordinal < (segments[0]?.first ?? next),
    segmentWith: (ordinal) => findSegment(segments, ordinal),
  }
}

/** Cuts frames into portions for one segment each: of at most `segmentBytesMax`, or one frame. */
function* portionsOf(frames: readonly Frame[]): Generator<readonly Frame[]> {
  let from = 0
  let size = 0
  for (const [index, { text }] of frames.entries()) {
    if (size > 0 && size + text.length > segmentBytesMax) {
      yield frames.slice(from, index)
      from = index
      size = 0
    }
    size += text.length
  }
  if (from < frames.length) yield frames.slice(from)
}

function segmentOf(frames: readonly Frame[], first: number): Segment {
  let end = 0
  const ends = frames.map(({ text }) => {
    end += Buffer.byteLength(text)
    return end
  })
  // Not from Node's pool: a slow reader would keep a whole slab of it.
  const bytes = Buffer.allocUnsafeSlow(end)
  bytes.write(frames.map(({ text }) => text).join(''))
  return { first, bytes, ends, ids: frames.map(({ id }) => id), sources: frames.map(({ source }) => source) }
}

const sizeOf = ({ bytes, ids }: Segment): number =>
  segmentOverheadBytes + bytes.length + ids.reduce((sum, id) => sum + eventOverheadBytes + id.length, 0)

/** By bisection. */
function findSegment(segments: readonly Segment[], ordinal: number): Segment | undefined {
  let low = 0
  let high = segments.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const segment = segments[middle] as Segment
    if (ordinal < segment.first) high = middle - 1
    else if (ordinal >= segment.first + segment.ids.length) low = middle + 1
    else return segment
  }
  return undefined
}
