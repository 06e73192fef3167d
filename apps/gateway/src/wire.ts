import type { IncomingMessage } from 'node:http'
import { type Appender, createAppender } from '@sekali/broker/append'
import type { Broker } from '@sekali/broker/connect'
import { createDoorbell } from '@sekali/broker/doorbell'
import type { AuthMode } from '@sekali/process/auth'
import type { Logger } from '@sekali/process/log'
import { createMetrics, type Metrics } from '@sekali/process/metrics'
import type { Tracing } from '@sekali/process/tracing'
import type { Store } from '@sekali/store/connect'
import { parseAllow } from '@sekali/webhook/guard'
import { type AccessOptions, auditDenials, wireAccess } from './access/wire.ts'
import { type App, createApp } from './app.ts'
import { createBudget } from './clients/budget.ts'
import { type Clients, createClients } from './clients/clients.ts'
import { createTimeSlices } from './clients/time-slices.ts'
import { createHeads, type Heads } from './heads/heads.ts'
import { createResponses, type Responses } from './http/responses.ts'
import { createRunner, type Runner } from './letters/runner.ts'
import { addOwnMetrics, addPublishMetrics, type OwnMetrics } from './metrics/own.ts'
import { addSystemMetrics } from './metrics/system.ts'
import { proxySetting } from './operate/access-finding.ts'
import { createReadiness, type Readiness } from './operate/readiness.ts'
import { createReadings } from './operate/readings.ts'
import type { PressureLimits } from './pressure/limits.ts'
import { createPressure, type Pressure } from './pressure/pressure.ts'
import { createAppendPortions } from './publish/append-portions.ts'
import type { Patience } from './publish/body-chunks.ts'
import { createNewTopics, type NewTopics } from './publish/new-topics.ts'
import { createPublish, type Publish } from './publish/publish.ts'
import { createReceipts } from './publish/receipts.ts'
import type { TopicLimits } from './publish/topic-limits.ts'
import { createSampler, type Sampler, type SamplerOptions } from './rates/sampler.ts'
import { createLookups } from './read/lookups.ts'
import { createReplays, type ReplayTimes } from './read/replay.ts'
import { createStoreSlots } from './read/store-slots.ts'
import { isOpen, routesOf } from './routes.ts'
import { type Connections, createConnections } from './sockets/connections.ts'
import { createReadLog } from './standby/read-log.ts'
import { createStandby, type StandbyOptions } from './standby/standby.ts'
import type { LineTimes } from './subscriptions/line.ts'
import type { Webhooks } from './subscriptions/push/webhooks.ts'
import { type Subscriptions, wireSubscriptions } from './subscriptions/wire.ts'
import { createTails, type Tails, type TailsOptions } from './tail/tails.ts'

export interface GatewayDeps {
  readonly broker: Broker
  /** The one that appends, if that is another one. */
  readonly appendBroker?: Broker
  /** A second connection, for what is read of Redis's state: it may be slow, or be given up, and appends go on. */
  readonly figuresBroker: Broker
  readonly store: Store
  /** A standby of it, if there is one. */
  readonly readStore?: Store | undefined
  readonly tracing?: Tracing | undefined
  readonly log: Logger
  /** Aborted once this process is to leave. */
  readonly signal: AbortSignal
}

export interface GatewayOptions {
  /** Whether whoever comes is asked for a key. */
  readonly auth?: AuthMode
  readonly access?: AccessOptions
  /** Whose pages may use this gateway. */
  readonly corsOrigins?: readonly string[]
  /** By which names this gateway may be called, beside addresses and localhost. */
  readonly hosts?: readonly string[]
  readonly trustedProxies?: readonly string[]
  readonly trustedEdge?: readonly string[]
  readonly topics?: TopicLimits
  readonly pressure?: PressureLimits
  readonly tails?: TailsOptions
  readonly tailsMax?: number
  readonly pulls?: LineTimes
  /** Without them no endpoint can be made. */
  readonly webhooks?: Webhooks
  readonly replayTimes?: ReplayTimes
  readonly patience?: Patience
  /** Bytes of responses in memory at a time. */
  readonly responseBytesMax?: number
  /** For how many topics there are metrics of their own. */
  readonly metricsTopicsMax?: number
  readonly sampling?: SamplerOptions
  readonly standby?: StandbyOptions
  /** Where the console's files are, if not at their usual place. */
  readonly consoleFolder?: URL
}

export interface Gateway extends App, OwnMetrics, AsyncDisposable {
  readonly appender: Appender
  readonly tails: Tails
  /** Looks at them once it is started. */
  readonly subscriptions: Subscriptions
  readonly readiness: Readiness
  readonly pressure: Pressure
  readonly connections: Connections
  readonly metrics: Metrics
  /** Runs operations once it is started, or has begun one. */
  readonly runner: Runner
  /** Keeps rates once it is started. */
  readonly sampler: Sampler
}

/** Bytes of bodies in memory at a time; parsed they take a few times as much. */
const bodyBytesInFlightMax = 32 * 1024 * 1024
/** Bytes of other bodies in memory at a time, of those that are not small. */
const largeBytesInFlightMax = 16 * 1024 * 1024
/** Streams of lines at a time: a stream stays open as long as lines come, and must leave connections to the others. */
const streamsMax = 512

/** Makes a gateway's parts and joins them. Whoever calls it has the connections to the servers, and listens. */
export function wireGateway(deps: GatewayDeps, options: GatewayOptions = {}): Gateway {
  const { broker, appendBroker = broker, figuresBroker, store, log, signal } = deps
  const { auth = 'off', hosts, corsOrigins, trustedProxies = [], trustedEdge = [] } = options
  const clients = createClients([...trustedProxies, ...trustedEdge])
  const access = { broker, figuresBroker, store, clients, log, random: Math.random }
  const authenticator = auth === 'keys' ? wireAccess(access, options.access) : undefined
  const connections = createConnections({
    clients,
    ...(options.tailsMax === undefined ? {} : { tailsMax: options.tailsMax }),
  })
  const heads = createHeads({ broker, store, log })
  const { standby, readLog } = wireStandby(deps, options.standby)
  const tails = createTails({ heads, store, readLog, log, signal }, options.tails)
  const subscriptions = wireSubscriptions({ clients, heads, store, log, signal }, options.pulls)
  const pressure = createPressure({ figuresBroker, store, log }, options.pressure)
  const appender = createAppender(appendBroker, createDoorbell(broker), pressure.onTaken)
  const newTopics = createNewTopics({ broker, store, log }, options.topics)
  const readiness = createReadiness({
    broker: appendBroker,
    figuresBroker,
    store,
    pressure,
    standby,
    isBlind: authenticator?.isBlind,
    log,
  })
  const responses = createResponses(clients, options.responseBytesMax)
  const metrics = createMetrics()
  const readings = createReadings({ figuresBroker, store, log })
  const parts = { appender, clients, heads, newTopics, pressure, responses, metrics }
  const { publish, accepted } = wirePublish(deps, parts, options.patience)
  const { onAnswer } = addOwnMetrics(metrics, { connections, store, pressure, standby, accepted })
  addSystemMetrics(metrics, { readings, readiness, figuresBroker, store, log }, options.metricsTopicsMax)
  const sampler = createSampler({ readings }, options.sampling)
  const runner = createRunner({ store, appender, pressure, log, signal })
  const largeBodies = createBudget(largeBytesInFlightMax)
  const roomOf = (request: IncomingMessage) => largeBodies.share(clients.of(request))
  const routes = routesOf({
    ...deps,
    readLog,
    standby,
    appender,
    runner,
    publish,
    accepted,
    newTopics,
    tails,
    subscriptions,
    webhooks: options.webhooks ?? { key: undefined, allow: parseAllow('') },
    replays: createReplays({ store, readLog, clients, log, signal }, options.replayTimes),
    lookups: createLookups({ broker, log }),
    readings,
    sampler,
    readiness,
    pressure,
    clients,
    connections,
    responses,
    slots: createStoreSlots(clients),
    auth,
    keys: authenticator,
    proxySetting: proxySetting(options),
    consoleFolder: options.consoleFolder,
    onDenied: auditDenials(access),
    now: () => performance.now(),
    random: Math.random,
  })
  return {
    ...createApp(routes, { hosts, corsOrigins, authenticator, isOpen, roomOf, log, random: Math.random }),
    appender,
    tails,
    subscriptions,
    readiness,
    pressure,
    connections,
    metrics,
    onAnswer,
    runner,
    sampler,
    async [Symbol.asyncDispose]() {
      await runner[Symbol.asyncDispose]()
      await sampler[Symbol.asyncDispose]()
      pressure[Symbol.dispose]()
      await tails[Symbol.asyncDispose]()
      await subscriptions[Symbol.asyncDispose]()
      await heads[Symbol.asyncDispose]()
      await standby?.[Symbol.asyncDispose]()
      await authenticator?.[Symbol.asyncDispose]()
    },
  }
}

function wireStandby({ store, readStore, log }: GatewayDeps, options: StandbyOptions | undefined) {
  const standby = readStore && createStandby({ store, readStore, log }, options)
  return { standby, readLog: createReadLog(store, standby) }
}

interface PublishParts {
  readonly appender: Appender
  readonly clients: Clients
  readonly heads: Heads
  readonly newTopics: NewTopics
  readonly pressure: Pressure
  readonly responses: Responses
  readonly metrics: Metrics
}

function wirePublish(
  { store, tracing, log, signal }: GatewayDeps,
  { heads, metrics, ...parts }: PublishParts,
  patience: Patience | undefined,
): { readonly publish: Publish; readonly accepted: () => number } {
  let accepted = 0
  const publish = createPublish({
    ...parts,
    portions: createAppendPortions(parts.appender),
    receipts: createReceipts({ store, heads, log, signal }),
    budget: createBudget(bodyBytesInFlightMax),
    streams: createBudget(streamsMax, 'too many streams are open'),
    timeSlices: createTimeSlices(),
    onAccepted: (events) => {
      accepted += events
    },
    onPublished: addPublishMetrics(metrics),
    tracing,
    log,
    random: Math.random,
    ...(patience && { patience }),
  })
  return { publish, accepted: () => accepted }
}
