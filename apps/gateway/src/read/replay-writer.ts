import type { ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import { constants, type Gzip } from 'node:zlib'
import { eventToLine, type StoredEvent } from '@sekali/core/event'
import { drained, writePieces } from '../http/backpressure.ts'

export type ReplayWriter = ReturnType<typeof createReplayWriter>

/** A part is given to the socket in pieces: of at most so much, or one event. */
const partLimits = { pieceCharsMax: 64 * 1024, patienceMs: 500 } as const

export interface ReplayWriterOptions {
  readonly gzip: Gzip | undefined
  /** Silence after which the client is sent a line of progress; undefined if it wants none. */
  readonly progressMs: number | undefined
}

/** Writes events as lines, through gzip or not; and, if that is wanted, lines of progress. */
export function createReplayWriter(outgoing: ServerResponse, { gzip, progressMs }: ReplayWriterOptions) {
  const sink: Writable = gzip ?? outgoing
  gzip?.pipe(outgoing)
  const isOver = () => outgoing.destroyed || sink.writableEnded
  const isFull = () => sink.writableNeedDrain
  let events = 0
  const alive = progressMs === undefined ? undefined : setTimeout(keepAlive, progressMs)
  outgoing.once('close', () => {
    clearTimeout(alive)
    gzip?.destroy()
  })
  // At once and not only when it is slow: a client that cannot read such a line finds out the first time.
  writeProgress('reading')

  function keepAlive(): void {
    // A stalled client needs nothing more before it has taken what waits; and a line would count as progress.
    if (isOver() || isFull() || outgoing.writableLength > 0) alive?.refresh()
    else writeProgress('reading')
  }

  function writeProgress(status: 'reading' | 'complete'): void {
    if (alive === undefined || isOver()) return
    write(`{"status":"${status}","events":${events}}\n`)
    flush()
  }

  function write(text: string): void {
    sink.write(text)
    alive?.refresh()
  }

  /** Sends what gzip holds back until there is more. */
  function flush(): void {
    if (!isOver()) gzip?.flush(constants.Z_SYNC_FLUSH)
  }

  return {
    isOver,
    isFull,
    drained: async () => isFull() && (await drained(sink)),
    /** Resolves with how many of the events were written before the client was too slow, or gone. */
    async write(stored: readonly StoredEvent[]): Promise<number> {
      const lines = stored.values().map((event) => `${eventToLine(event)}\n`)
      const before = events
      const written = await writePieces(sink, lines, partLimits, (piece, count) => {
        events = before + count
        write(piece)
      })
      if (written > 0) flush()
      return written
    },
    end() {
      writeProgress('complete')
      sink.end()
    },
  }
}
