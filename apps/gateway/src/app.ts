import type { RequestListener } from 'node:http'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Appender } from '@sekali/broker/append'
import type { Broker } from '@sekali/broker/connect'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { Hono } from 'hono'
import { createBudget } from './clients/budget.ts'
import type { Clients } from './clients/clients.ts'
import { createTurns } from './clients/time-slices.ts'
import type { Heads } from './heads/heads.ts'
import { createDoor } from './http/door.ts'
import { problem, refusalOf } from './http/problem.ts'
import { reply, sendEarly, toResponse } from './http/reply.ts'
import { createResponses } from './http/responses.ts'
import { doctor } from './operate/doctor.ts'
import { dropEmptyTopic } from './operate/drop-topic.ts'
import { addProbes } from './operate/probes.ts'
import type { Readiness } from './operate/readiness.ts'
import { createReadings } from './operate/readings.ts'
import { stats } from './operate/stats.ts'
import { createAppendPortions } from './publish/append-portions.ts'
import { withoutBody } from './publish/body.ts'
import type { Patience } from './publish/body-chunks.ts'
import type { NewTopics } from './publish/new-topics.ts'
import { createReceipts } from './publish/outcomes.ts'
import { createPublish } from './publish/publish.ts'
import { receipt } from './read/event.ts'
import { events } from './read/events.ts'
import { createLookups } from './read/lookups.ts'
import { drop, listProjections, rebuild, showKey, showProjection } from './read/projections.ts'
import type { Replays } from './read/replay.ts'
import { createStoreSlots } from './read/store-slots.ts'
import type { Connections } from './sockets/connections.ts'
import { tail } from './tail/tail.ts'
import type { Tails } from './tail/tails.ts'

export interface AppDeps {
  readonly broker: Broker
  /** A second connection, for what is read of Redis's state: it may be slow, or be given up, and appends go on. */
  readonly figuresBroker: Broker
  readonly appender: Appender
  readonly store: Store
  readonly heads: Heads
  readonly tails: Tails
  readonly replays: Replays
  readonly clients: Clients
  readonly newTopics: NewTopics
  readonly connections: Connections
  /** By which names this gateway may be called, beside addresses and localhost. */
  readonly hosts?: readonly string[] | undefined
  readonly readiness: Readiness
  readonly log: Logger
  /** Aborted once this process is to leave. */
  readonly signal: AbortSignal
  readonly patience?: Patience
  readonly now?: () => number
  readonly random?: () => number
  /** Bytes of responses in memory at a time. */
  readonly responseBytesMax?: number
}

/** Bytes of bodies in memory at a time; parsed they take a few times as much. */
const bodyBytesInFlightMax = 32 * 1024 * 1024
/** Streams of lines at a time: each may stay as long as it says something, and they must leave connections to the others. */
const streamsMax = 512

export interface App {
  /** All routes. Publishing and tailing need node:http's request and response, and so a real connection. */
  readonly app: Hono<{ Bindings: HttpBindings }>
  readonly listener: RequestListener
}

/**
 * All routes behind the door. No middleware: Hono then calls a handler directly, and every answer comes from reply.ts.
 */
export function createApp(deps: AppDeps): App {
  const { broker, figuresBroker, appender, store, heads, tails, replays, clients, newTopics, connections } =
    deps
  const { readiness, log, signal } = deps
  const { now = () => performance.now(), random = Math.random } = deps
  const responses = createResponses(clients, deps.responseBytesMax)
  const { counted } = responses
  const slots = createStoreSlots(clients)
  const { slotted } = slots
  let accepted = 0

  const publish = createPublish({
    appender,
    appendPortions: createAppendPortions(),
    receipts: createReceipts({ store, heads, log, signal }),
    budget: createBudget(bodyBytesInFlightMax),
    streams: createBudget(streamsMax, 'too many streams are open'),
    turns: createTurns(),
    clients,
    newTopics,
    responses,
    onAccepted: (events) => {
      accepted += events
    },
    log,
    random,
    ...(deps.patience && { patience: deps.patience }),
  })

  const readings = createReadings({ figuresBroker, store, log })
  const app = new Hono<{ Bindings: HttpBindings }>()
  app.post('/publish', async ({ env }) => {
    await publish(env.incoming, env.outgoing)
    return RESPONSE_ALREADY_SENT
  })
  app.get('/events', counted(events(store, replays, slots)))
  app.get('/tail', tail({ tails, clients, connections, signal, random }))
  const showEvent = counted(receipt({ store, lookups: createLookups({ broker, log }), clients, slots }))
  app.get('/events/:topic', showEvent)
  app.get('/events/:topic/:event_id', showEvent)
  app.delete('/topics/:topic', slotted(dropEmptyTopic({ broker, store, newTopics })))
  app.get('/stats', counted(stats({ readings, now, accepted: () => accepted })))
  app.get('/doctor', counted(doctor({ figuresBroker, readings, store, log })))
  app.get('/projections', counted(slotted(listProjections(store))))
  app.get('/projections/:name', counted(slotted(showProjection(store))))
  app.get('/projections/:name/:key{[^]+}', counted(slotted(showKey(store))))
  app.delete('/projections/:name', slotted(drop(store)))
  app.post('/projections/:name/rebuild', slotted(rebuild(store)))
  addProbes(app, { readiness, signal })

  app.onError((error) => toResponse(refusalOf(error, log, random)))
  app.notFound((c) => {
    const allow = methodsAt(app, c.req.path)
    if (allow.length === 0) return problem('not_found')
    const headers = { Allow: allow.join(', ') }
    return c.req.method === 'OPTIONS' ? reply(204, null, headers) : problem('method_not_allowed', { headers })
  })

  const listen = getRequestListener(app.fetch, { autoCleanupIncoming: false })
  const door = createDoor({ hosts: deps.hosts, words: wordsOf(app) })
  const routed = withoutBody((request, response) => {
    // The door has read it. Hono's server would refuse what is right, such as [::1:0], and a request without one.
    request.headers.host = 'gateway'
    void listen(request, response)
  })
  return {
    app,
    listener: (request, response) => {
      const refused = door(request)
      if (refused !== undefined) {
        sendEarly(response, refused)
      } else if (request.method === 'POST' && request.url === '/publish') {
        // The same handler as by the route; what nearly every request is does not pay for being routed.
        void publish(request, response)
      } else routed(request, response)
    },
  }
}

function wordsOf(app: App['app']): Set<string> {
  const segments = app.routes.flatMap(({ path }) => path.split('/'))
  return new Set(segments.filter((segment) => /^[\w-]+$/.test(segment)))
}

function methodsAt(app: App['app'], path: string): string[] {
  const methods = app.routes
    .filter((route) => route.method !== 'OPTIONS' && toRegExp(route.path).test(path))
    .map((route) => route.method)
  if (methods.length === 0) return []
  return [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS']
}

/** Of a route's path: `:name` is a segment, `:key{[^]+}` all that follows, line feeds included. */
const toRegExp = (path: string): RegExp =>
  new RegExp(`^${path.replace(/:\w+\{(.+)\}/g, '$1').replace(/:\w+/g, '[^/]+')}$`)
