/**
 * Streams a replay as lines of JSON (application/x-ndjson), page by page. The next page is read while the one before
 * is on its way, and no further: a slow reader slows the reading, and what one stream holds is two pages, however
 * long the log is. It ends where the log was when it began.
 *
 * When something fails in the middle, or this process has to leave, the connection is cut: an end that looked like
 * the end of the replay would be a lie. The reader goes on after the last event that it has.
 */
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createGzip } from 'node:zlib'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Overloaded, SekaliError } from '@sekali/core/errors'
import { eventToLine, type StoredEvent } from '@sekali/core/event'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { openReplay, type Replay } from '@sekali/store/replay'
import type { Context } from 'hono'
import { accepted } from './accept.ts'
import { answer, toResponse } from './reply.ts'

export interface Replays {
  /** Answers with a replay. Throws `TooManyTopics`, `StoreUnavailable`, or `Overloaded`. */
  send(c: Context, replay: Replay): Promise<Response>
}

export interface ReplayDeps {
  readonly store: Store
  readonly log: Logger
  /** Aborted once this process is to leave. */
  readonly signal: AbortSignal
}

/** Streams at a time; each holds up to two pages, of at most 2 MiB and an event. */
const replaysMax = 16
/** A reader that takes nothing for so long is hung up on. */
const stallMs = 60_000

export function createReplays({ store, log, signal }: ReplayDeps): Replays {
  let open = 0

  /** Sends pages until there are none, or the reader leaves or stalls, or this process does. Never rejects. */
  async function stream(
    outgoing: ServerResponse,
    isZipped: boolean,
    lines: AsyncIterable<Buffer>,
  ): Promise<void> {
    outgoing.setTimeout(stallMs, () => outgoing.destroy())
    const source = Readable.from(lines, { highWaterMark: 1 })
    try {
      if (isZipped)
        await pipeline(source, createGzip({ level: constants.Z_BEST_SPEED }), outgoing, { signal })
      else await pipeline(source, outgoing, { signal })
    } catch (err) {
      if (err instanceof SekaliError) log.warn({ err }, 'replay broken off')
      // Otherwise the reader has left, or is about to be left.
    }
  }

  return {
    async send(c, replay) {
      if (open >= replaysMax) throw new Overloaded('too many replays are under way')
      open += 1
      let isStreaming = false
      try {
        const pages = await openReplay(store, replay)
        // Read before the answer begins, so that what is wrong can still be said.
        const first = await pages.next()
        const isZipped =
          accepted(c.req.header('accept-encoding') ?? 'identity', ['identity', 'gzip']) === 'gzip'
        const head = answer(200, null, {
          'Content-Type': 'application/x-ndjson',
          Vary: 'Accept, Accept-Encoding',
          ...(isZipped ? { 'Content-Encoding': 'gzip' } : {}),
        })
        if (c.req.raw.method === 'HEAD') return toResponse(head)
        // To Node's own response: what a web stream fails with is written to the client by the adapter.
        const { outgoing } = c.env as { readonly outgoing: ServerResponse }
        outgoing.writeHead(head.status, head.headers)
        isStreaming = true
        void stream(outgoing, isZipped, toLines(first, pages)).finally(() => {
          open -= 1
        })
        return RESPONSE_ALREADY_SENT
      } finally {
        if (!isStreaming) open -= 1
      }
    },
  }
}

type Pages = AsyncGenerator<readonly StoredEvent[]>

async function* toLines(first: IteratorResult<readonly StoredEvent[]>, pages: Pages): AsyncGenerator<Buffer> {
  for (let page = first; !page.done; page = await pages.next()) {
    // An empty chunk would end the response.
    if (page.value.length > 0)
      yield Buffer.from(page.value.map((event) => `${eventToLine(event)}\n`).join(''))
  }
}
