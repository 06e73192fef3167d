/**
 * Streams a replay as lines of JSON (application/x-ndjson), part by part, up to where the log was when it began. The
 * client sets the pace, and what is scarce is held only while something moves: PostgreSQL while it reads, and memory
 * until the socket takes what was read. A part that is not taken in time is dropped, and its rest is read again when
 * the client takes more. So those who are slow, or have stopped, keep nobody else waiting.
 *
 * Who reads quickly gets larger parts, and the next one is read while the one before is on its way.
 *
 * When something fails in the middle, or this process has to leave, the connection is reset: an end that looked like
 * the end of the replay would be a lie. The reader goes on after the last event that it has. A reset cannot be promised,
 * because a process may be killed and a proxy may make an end of it; so whoever asks for `progress` is sent a last
 * line that counts the events, and lines that say that a search still goes on.
 */
import type { ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import { constants, createGzip, type Gzip } from 'node:zlib'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { SekaliError } from '@sekali/core/errors'
import { eventToLine, type StoredEvent } from '@sekali/core/event'
import { limits } from '@sekali/core/limits'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { boundReplay, type Part, type Replay, readPart } from '@sekali/store/replay'
import type { Context } from 'hono'
import { createBudget } from '../clients/budget.ts'
import { createBulkReads } from '../clients/bulk-reads.ts'
import type { Client, Clients } from '../clients/clients.ts'
import { createSlots } from '../clients/slots.ts'
import { accepted } from '../http/accept.ts'
import { drained, writePieces } from '../http/backpressure.ts'
import { prefersProgress } from '../http/prefer.ts'
import { answer, toResponse } from '../http/reply.ts'
import { cut } from '../sockets/cut.ts'
import { limitStall } from '../sockets/stalls.ts'

export interface Replays {
  /** Answers with a replay. Throws `TooManyTopics`, `StoreUnavailable`, `Overloaded` or `ClientLimit`. */
  send(c: Context, replay: Replay): Promise<Response>
}

export interface ReplayDeps {
  readonly store: Store
  readonly clients: Clients
  readonly log: Logger
  /** Aborted once this process is to leave. */
  readonly signal: AbortSignal
}

export interface ReplayTimes {
  /** A client that takes nothing for so long although there is something for it is cut off. */
  readonly stalledMs?: number
  /** Whoever wants progress is told of it when nothing else was sent for so long: a search may find nothing for minutes. */
  readonly keepAliveMs?: number
}

/** Streams at a time. One that waits for its client holds a piece or an event, and a quarter of a MiB if it is zipped. */
const streamsMax = 256
/** Of the pool's connections so many serve replays. */
const readsMax = 2
/** Bytes of all parts that are held until sockets take them. */
const heldBytesMax = 32 * 1024 * 1024
const partBytesMin = 64 * 1024
const partBytesMax = 1024 * 1024
/** A part is given to the socket in pieces of so much, or one event. */
const partLimits = { pieceCharsMax: 64 * 1024, patienceMs: 500 } as const

/** A part of a replay that is in memory, until it is disposed of. */
type Held = Part & Disposable

export function createReplays(
  { store, clients, log, signal }: ReplayDeps,
  { stalledMs = 30_000, keepAliveMs = 5_000 }: ReplayTimes = {},
): Replays {
  const reads = createBulkReads(readsMax)
  const heldBytes = createSlots(heldBytesMax)
  const open = createBudget(streamsMax, 'too many replays are under way')

  async function begin(replay: Replay, client: Client): Promise<Replay> {
    return await reads.run(
      client,
      async () => undefined,
      () => boundReplay(store, replay),
    )
  }

  async function read(replay: Replay, bytesMax: number, client: Client): Promise<Held> {
    using room = new DisposableStack()
    const makeRoom = async () =>
      void room.use(await heldBytes.take(bytesMax + limits.payloadBytesMax, client))
    const part = await reads.run(client, makeRoom, () => readPart(store, replay, bytesMax))
    const held = room.move()
    return { ...part, [Symbol.dispose]: () => held.dispose() }
  }

  /** Sends all of a replay, or cuts the connection. Never rejects. */
  async function stream(outgoing: ServerResponse, options: WriterOptions, parts: Held[], client: Client) {
    const leave = () => cut(outgoing)
    signal.addEventListener('abort', leave, { once: true })
    limitStall(outgoing, stalledMs)
    const writer = createWriter(outgoing, options)
    if (signal.aborted) leave() // while the first part was read
    try {
      await sendAll(writer, parts, client)
      writer.end()
    } catch (err) {
      if (err instanceof SekaliError) log.warn({ err }, 'replay broken off')
      else log.error({ err }, 'replay failed')
      leave()
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  /** `parts` is what has been read already. Each is taken out, because it must not stay while its client takes nothing. */
  async function sendAll(writer: Writer, parts: Held[], client: Client): Promise<void> {
    for (let bytesMax = partBytesMin; ; ) {
      const { rest, ahead } = await sendPart(writer, parts, bytesMax, client)
      if (rest === undefined || writer.isOver()) return
      bytesMax = writer.isFull() ? partBytesMin : Math.min(2 * bytesMax, partBytesMax)
      if (ahead) {
        parts.push(await ahead)
        continue
      }
      await writer.drained()
      if (writer.isOver()) return
      parts.push(await read(rest, bytesMax, client))
    }
  }

  /** Resolves with what is left, and for a client that is quick with the next part, which is being read. */
  async function sendPart(writer: Writer, parts: Held[], bytesMax: number, client: Client) {
    using part = parts.shift() as Held
    const more = part.rest(part.events.length)
    const ahead = more && bytesMax > partBytesMin ? read(more, bytesMax, client) : undefined
    ahead?.catch(() => undefined) // it may fail before anybody waits for it
    const taken = await writer.write(part.events)
    const rest = part.rest(taken)
    if (rest && !writer.isOver() && !writer.isFull()) return { rest, ahead }
    ahead?.then((unwanted) => unwanted[Symbol.dispose]()).catch(() => undefined)
    return { rest }
  }

  return {
    async send(c, replay) {
      // To Node's own response: what a web stream fails with is written to the client by the adapter.
      const { incoming, outgoing } = c.env as HttpBindings
      const client = clients.of(incoming)
      using place = new DisposableStack()
      place.use(open.share(client)).hold(1)
      // Read before the answer begins, so that what is wrong can still be said.
      const first = await read(await begin(replay, client), partBytesMin, client)
      const isZipped =
        accepted(c.req.header('accept-encoding') ?? 'identity', ['identity', 'gzip']) === 'gzip'
      const wantsProgress = prefersProgress(c.req.header('prefer'))
      const head = answer(200, null, {
        'Content-Type': 'application/x-ndjson',
        Vary: 'Accept, Accept-Encoding, Prefer',
        ...(isZipped ? { 'Content-Encoding': 'gzip' } : {}),
        ...(wantsProgress ? { 'Preference-Applied': 'progress' } : {}),
      })
      if (c.req.raw.method === 'HEAD' || outgoing.destroyed) {
        first[Symbol.dispose]()
        return toResponse(head)
      }
      outgoing.writeHead(head.status, head.headers).flushHeaders()
      const held = place.move()
      outgoing.once('close', () => held.dispose())
      const gzip = isZipped ? createGzip({ level: constants.Z_BEST_SPEED }) : undefined
      void stream(outgoing, { gzip, progressMs: wantsProgress ? keepAliveMs : undefined }, [first], client)
      return RESPONSE_ALREADY_SENT
    },
  }
}

type Writer = ReturnType<typeof createWriter>

interface WriterOptions {
  readonly gzip: Gzip | undefined
  /** How long nothing may be sent before the client is told that reading goes on; undefined if it did not ask. */
  readonly progressMs: number | undefined
}

/** Writes events as lines, through gzip or not; and, if that is wanted, lines that say how far it has come. */
function createWriter(outgoing: ServerResponse, { gzip, progressMs }: WriterOptions) {
  const sink: Writable = gzip ?? outgoing
  gzip?.pipe(outgoing)
  const isOver = () => outgoing.destroyed || sink.writableEnded
  const isFull = () => sink.writableNeedDrain
  let events = 0
  const alive = progressMs === undefined ? undefined : setTimeout(stayAlive, progressMs)
  outgoing.once('close', () => {
    clearTimeout(alive)
    gzip?.destroy()
  })
  // At once and not only when it is slow: who cannot read such a line finds out the first time.
  sayProgress('reading')

  function stayAlive(): void {
    // Of what a stalled client has not taken yet there need not be more; and it would count as progress.
    if (isOver() || isFull() || outgoing.writableLength > 0) alive?.refresh()
    else sayProgress('reading')
  }

  function sayProgress(status: 'reading' | 'complete'): void {
    if (alive === undefined || isOver()) return
    say(`{"status":"${status}","events":${events}}\n`)
    flush()
  }

  function say(text: string): void {
    sink.write(text)
    alive?.refresh()
  }

  /** What gzip keeps to itself until there is more of it. */
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
        say(piece)
      })
      if (written > 0) flush()
      return written
    },
    end() {
      sayProgress('complete')
      sink.end()
    },
  }
}
