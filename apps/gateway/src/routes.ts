import type { IncomingMessage } from 'node:http'
import { type RouteId, type RouteSpec, routes } from '@sekali/api/routes'
import type { Appender } from '@sekali/broker/append'
import type { Broker } from '@sekali/broker/connect'
import type { AuthMode } from '@sekali/process/auth'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import manifest from '../package.json' with { type: 'json' }
import { guarded, type OnDenied, type Served } from './access/guard.ts'
import { type SessionDeps, sessionHandlersOf } from './access/session.ts'
import type { Clients } from './clients/clients.ts'
import { consoleHandlersOf } from './console/serve.ts'
import type { Responses } from './http/responses.ts'
import { type DirectHandler, directly, isFor, type Route } from './http/router.ts'
import { smallBodyBytesMax } from './http/small-bodies.ts'
import type { KeyDeps } from './keys/deps.ts'
import { keyHandlersOf } from './keys/handlers.ts'
import { letterHandlersOf } from './letters/handlers.ts'
import type { Runner } from './letters/runner.ts'
import { doctor } from './operate/doctor.ts'
import { beginAllEpochs } from './operate/epochs.ts'
import { describeApi } from './operate/openapi.ts'
import { probeHandlersOf } from './operate/probes.ts'
import type { Readiness } from './operate/readiness.ts'
import type { Readings } from './operate/readings.ts'
import { stats } from './operate/stats.ts'
import type { Pressure } from './pressure/pressure.ts'
import type { NewTopics } from './publish/new-topics.ts'
import { rates } from './rates/rates.ts'
import type { Sampler } from './rates/sampler.ts'
import { showEvent } from './read/event.ts'
import { events } from './read/events.ts'
import type { Lookups } from './read/lookups.ts'
import { ofCoveredProjection } from './read/projection-topics.ts'
import { drop, listProjections, rebuild, showKey, showProjection } from './read/projections.ts'
import type { Replays } from './read/replay.ts'
import type { StoreSlots } from './read/store-slots.ts'
import type { Connections } from './sockets/connections.ts'
import type { ReadLog } from './standby/read-log.ts'
import type { Standby } from './standby/standby.ts'
import type { SubscriptionDeps } from './subscriptions/deps.ts'
import { subscriptionHandlersOf } from './subscriptions/handlers.ts'
import { tail } from './tail/tail.ts'
import type { Tails } from './tail/tails.ts'
import { dropEmptyTopic } from './topics/drop-topic.ts'
import { changeTopicSettings, showTopicSettings } from './topics/settings.ts'
import { showTopic } from './topics/show-topic.ts'

/** What the handlers work with. */
export interface RouteDeps {
  readonly broker: Broker
  readonly figuresBroker: Broker
  readonly store: Store
  readonly readLog: ReadLog
  readonly standby: Standby | undefined
  readonly appender: Appender
  readonly runner: Runner
  readonly publish: DirectHandler
  readonly newTopics: NewTopics
  readonly tails: Tails
  readonly subscriptions: SubscriptionDeps['subscriptions']
  readonly webhooks: SubscriptionDeps['webhooks']
  readonly replays: Replays
  readonly lookups: Lookups
  readonly readings: Readings
  readonly sampler: Sampler
  readonly readiness: Readiness
  readonly pressure: Pressure
  readonly clients: Clients
  readonly connections: Connections
  readonly responses: Responses
  readonly slots: StoreSlots
  readonly auth: AuthMode
  readonly keys: KeyDeps['keys'] & SessionDeps['keys']
  /** The setting that lets others come in through a proxy, if there is one. */
  readonly proxySetting: string | undefined
  /** Where the console's files are, if not at their usual place. */
  readonly consoleFolder: URL | undefined
  /** How many events this gateway has brought to Redis. */
  readonly accepted: () => number
  readonly log: Logger
  /** Aborted once this process is to leave. */
  readonly signal: AbortSignal
  readonly onDenied: OnDenied
  readonly now: () => number
  readonly random: () => number
}

/**
 * A handler for each route of the table in `@sekali/api`, behind the scope that the table asks for: the router, the Allow
 * header and the door's list of words come of both. `counted` bounds the bytes of answers in memory, `slotted` bounds a
 * client's share of PostgreSQL.
 */
export function routesOf(deps: RouteDeps): readonly Route[] {
  const served = handlersOf(deps)
  return routes.map(({ id, method, path, scope, request }: RouteSpec & { id: RouteId }) => ({
    method,
    path,
    bodyBytesMax: bodyBytesMaxOf(request, served[id]),
    ...guarded({ scope, path }, served[id], deps),
  }))
}

const bodyBytesMaxOf = ({ bodies }: RouteSpec['request'], { direct, bodyBytesMax }: Served) =>
  bodies === undefined || direct !== undefined ? undefined : (bodyBytesMax ?? smallBodyBytesMax)

const open: readonly RouteSpec[] = routes.filter(({ scope }) => scope === 'none')
const files = '/assets/'

/** Whether a request is one of those that need no key. Of their paths only that of the console's files has a parameter. */
export const isOpen = (request: IncomingMessage): boolean =>
  open.some((route) => isFor(request, route)) || isForFile(request)

const isForFile = ({ method, url = '' }: IncomingMessage): boolean =>
  (method === 'GET' || method === 'HEAD') && url.startsWith(files)

function handlersOf(deps: RouteDeps): Record<RouteId, Served> {
  const { store, readLog, replays, slots } = deps
  const { counted } = deps.responses
  const { slotted } = slots
  const event = { handler: counted(showEvent(deps)) }
  const page = consoleHandlersOf(deps.consoleFolder)
  return {
    publish: directly(deps.publish),
    readEvents: { handler: counted(events(readLog, replays, slots)) },
    tailEvents: directly(tail(deps)),
    findEvent: event,
    readEvent: event,
    showTopic: { handler: counted(slotted(showTopic(store))) },
    dropTopic: { handler: slotted(dropEmptyTopic(deps)) },
    readTopicSettings: { handler: slotted(showTopicSettings(deps)) },
    setTopicSettings: { handler: slotted(changeTopicSettings(deps)) },
    beginEpochs: { handler: slotted(beginAllEpochs(deps)) },
    readStats: { handler: counted(stats(deps)) },
    readRates: { handler: counted(rates(deps.sampler)) },
    runDoctor: { handler: counted(doctor(deps)) },
    describeApi: { handler: counted(describeApi(manifest.version)) },
    listProjections: { handler: counted(listProjections(store, slots)) },
    readProjection: { handler: counted(slotted(ofCoveredProjection(store, showProjection(store)))) },
    readProjectionKey: { handler: counted(slotted(ofCoveredProjection(store, showKey(store)))) },
    dropProjection: { handler: slotted(ofCoveredProjection(store, drop(deps))) },
    rebuildProjection: { handler: slotted(ofCoveredProjection(store, rebuild(deps))) },
    ...sessionHandlersOf(deps),
    showConsole: { handler: counted(page.page) },
    readAsset: { handler: counted(page.asset) },
    showIcon: { handler: counted(page.icon) },
    showDocs: { handler: page.docs },
    ...keyHandlersOf(deps),
    ...letterHandlersOf(deps),
    ...subscriptionHandlersOf(deps),
    ...probeHandlersOf(deps),
  }
}
