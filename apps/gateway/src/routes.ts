import type { Broker } from '@sekali/broker/connect'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import type { Clients } from './clients/clients.ts'
import type { Responses } from './http/responses.ts'
import { type DirectHandler, directly, type Route } from './http/router.ts'
import { doctor } from './operate/doctor.ts'
import { dropEmptyTopic } from './operate/drop-topic.ts'
import { probeRoutes } from './operate/probes.ts'
import type { Readiness } from './operate/readiness.ts'
import type { Readings } from './operate/readings.ts'
import { stats } from './operate/stats.ts'
import type { NewTopics } from './publish/new-topics.ts'
import { showEvent } from './read/event.ts'
import { events } from './read/events.ts'
import type { Lookups } from './read/lookups.ts'
import { drop, listProjections, rebuild, showKey, showProjection } from './read/projections.ts'
import type { Replays } from './read/replay.ts'
import type { StoreSlots } from './read/store-slots.ts'
import type { Connections } from './sockets/connections.ts'
import { tail } from './tail/tail.ts'
import type { Tails } from './tail/tails.ts'

/** What the handlers work with. */
export interface RouteDeps {
  readonly broker: Broker
  readonly figuresBroker: Broker
  readonly store: Store
  readonly publish: DirectHandler
  readonly newTopics: NewTopics
  readonly tails: Tails
  readonly replays: Replays
  readonly lookups: Lookups
  readonly readings: Readings
  readonly readiness: Readiness
  readonly clients: Clients
  readonly connections: Connections
  readonly responses: Responses
  readonly slots: StoreSlots
  /** How many events this gateway has brought to Redis. */
  readonly accepted: () => number
  readonly log: Logger
  /** Aborted once this process is to leave. */
  readonly signal: AbortSignal
  readonly now: () => number
  readonly random: () => number
}

/**
 * The one table of routes. The router, the Allow header and the door's list of words come of it. `counted` bounds the
 * bytes of answers in memory, `slotted` bounds a client's share of PostgreSQL.
 */
export function routesOf(deps: RouteDeps): readonly Route[] {
  const { store, replays, slots } = deps
  const { counted } = deps.responses
  const { slotted } = slots
  const event = counted(showEvent(deps))
  return [
    { method: 'POST', path: '/publish', ...directly(deps.publish) },
    { method: 'GET', path: '/events', handler: counted(events(store, replays, slots)) },
    { method: 'GET', path: '/tail', handler: tail(deps) },
    { method: 'GET', path: '/events/:topic', handler: event },
    { method: 'GET', path: '/events/:topic/:event_id', handler: event },
    { method: 'DELETE', path: '/topics/:topic', handler: slotted(dropEmptyTopic(deps)) },
    { method: 'GET', path: '/stats', handler: counted(stats(deps)) },
    { method: 'GET', path: '/doctor', handler: counted(doctor(deps)) },
    { method: 'GET', path: '/projections', handler: counted(slotted(listProjections(store))) },
    { method: 'GET', path: '/projections/:name', handler: counted(slotted(showProjection(store))) },
    { method: 'GET', path: '/projections/:name/:key{[^]+}', handler: counted(slotted(showKey(store))) },
    { method: 'DELETE', path: '/projections/:name', handler: slotted(drop(store)) },
    { method: 'POST', path: '/projections/:name/rebuild', handler: slotted(rebuild(store)) },
    ...probeRoutes(deps),
  ]
}
