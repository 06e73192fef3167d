/**
 * Streams a replay as lines of JSON (application/x-ndjson), part by part, up to where the log was when it began. What is
 * scarce is held only while something moves, so a slow client, or one that has stopped, keeps nobody else waiting:
 * replay-parts.ts reads, replay-stream.ts sets the pace, replay-writer.ts writes.
 *
 * When something fails in the middle, the key is revoked, or this process has to leave, the connection is reset: an end that looked like
 * the end of the replay would be a lie. The reader goes on after the last event that it has. A reset cannot be promised,
 * because a process may be killed, and a proxy may turn a reset into an end. So a client that prefers `progress` gets
 * lines while a search finds nothing, and a last line that counts the events.
 */
import type { ServerResponse } from 'node:http'
import { constants, createGzip } from 'node:zlib'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { SekaliError } from '@sekali/core/errors'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import type { Replay } from '@sekali/store/replay'
import type { Context } from 'hono'
import type { Life } from '../access/life.ts'
import { principalOf } from '../access/principals.ts'
import { createBudget } from '../clients/budget.ts'
import type { Client, Clients } from '../clients/clients.ts'
import { accepted } from '../http/accept.ts'
import { prefersProgress } from '../http/prefer.ts'
import { answer, toResponse } from '../http/reply.ts'
import { logOf } from '../http/request-id.ts'
import { cut } from '../sockets/cut.ts'
import { limitStall } from '../sockets/stalls.ts'
import type { ReadLog } from '../standby/read-log.ts'
import { createReplayParts, type HeldPart } from './replay-parts.ts'
import { partBytesMin, sendAll } from './replay-stream.ts'
import { createReplayWriter, type ReplayWriterOptions } from './replay-writer.ts'

export interface Replays {
  /** Answers with a replay. Throws `TooManyTopics`, `StoreUnavailable`, `Overloaded` or `ClientLimit`. */
  send(c: Context, replay: Replay): Promise<Response>
}

export interface ReplayDeps {
  readonly store: Store
  readonly readLog: ReadLog
  readonly clients: Clients
  readonly log: Logger
  /** Aborted once this process is to leave. */
  readonly signal: AbortSignal
}

export interface ReplayTimes {
  /** A client that takes nothing for so long although there is something for it is cut off. */
  readonly stalledMs?: number
  /** A client that wants progress gets a line after so long a silence: a search may find nothing for minutes. */
  readonly keepAliveMs?: number
}

/** Streams at a time. One that waits for its client holds a piece or an event, and a quarter of a MiB if it is zipped. */
const streamsMax = 256

export function createReplays(
  { store, readLog, clients, log, signal }: ReplayDeps,
  { stalledMs = 30_000, keepAliveMs = 5_000 }: ReplayTimes = {},
): Replays {
  const parts = createReplayParts(store, readLog)
  const open = createBudget(streamsMax, 'too many replays are under way')

  /** Sends all of a replay, or cuts the connection. Never rejects. */
  async function stream(
    outgoing: ServerResponse,
    options: ReplayWriterOptions,
    held: HeldPart[],
    client: Client,
    life: Life,
  ): Promise<void> {
    const leave = () => cut(outgoing)
    signal.addEventListener('abort', leave, { once: true })
    using _watch = life.onEnd(leave)
    limitStall(outgoing, stalledMs)
    const writer = createReplayWriter(outgoing, options)
    if (signal.aborted) leave() // while the first part was read
    try {
      await sendAll(writer, held, (rest, bytesMax) => parts.read(rest, bytesMax, client))
      writer.end()
    } catch (err) {
      const itsLog = logOf(log, outgoing.req)
      if (err instanceof SekaliError) itsLog.warn({ err }, 'replay broken off')
      else itsLog.error({ err }, 'replay failed')
      leave()
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  return {
    async send(c, replay) {
      // To Node's own response: what a web stream fails with is written to the client by the adapter.
      const { incoming, outgoing } = c.env as HttpBindings
      const client = clients.of(incoming)
      using room = new DisposableStack()
      room.use(open.share(client)).hold(1)
      // Read before the answer begins, so that a failure can still be answered.
      const first = await parts.read(await parts.bound(replay, client), partBytesMin, client)
      const { head, isZipped, wantsProgress } = headOf(c, outgoing.getHeader('Vary'))
      if (c.req.raw.method === 'HEAD' || outgoing.destroyed) {
        first[Symbol.dispose]()
        return toResponse(head)
      }
      outgoing.writeHead(head.status, head.headers).flushHeaders()
      const held = room.move()
      outgoing.once('close', () => held.dispose())
      const gzip = isZipped ? createGzip({ level: constants.Z_BEST_SPEED }) : undefined
      void stream(
        outgoing,
        { gzip, progressMs: wantsProgress ? keepAliveMs : undefined },
        [first],
        client,
        principalOf(incoming).life,
      )
      return RESPONSE_ALREADY_SENT
    },
  }
}

/** `varies` is what the answer depends on already: with CORS, the origin. */
function headOf(c: Context, varies: number | string | readonly string[] | undefined) {
  const isZipped = accepted(c.req.header('accept-encoding') ?? 'identity', ['identity', 'gzip']) === 'gzip'
  const wantsProgress = prefersProgress(c.req.header('prefer'))
  const head = answer(200, null, {
    'Content-Type': 'application/x-ndjson',
    Vary: ['Accept, Accept-Encoding, Prefer', varies ?? []].flat().join(', '),
    ...(isZipped ? { 'Content-Encoding': 'gzip' } : {}),
    ...(wantsProgress ? { 'Preference-Applied': 'progress' } : {}),
  })
  return { head, isZipped, wantsProgress }
}
