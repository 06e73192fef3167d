import { type Appender, createAppender } from '@sekali/broker/append'
import { type Broker, connectBroker } from '@sekali/broker/connect'
import { createDoorbell } from '@sekali/broker/doorbell'
import { createLog } from '@sekali/process/log'
import { connectStore, type Store } from '@sekali/store/connect'
import { type App, createApp } from '../src/app.ts'
import { createClients } from '../src/clients/clients.ts'
import { createHeads } from '../src/heads/heads.ts'
import { createReadiness, type Readiness } from '../src/operate/readiness.ts'
import type { Patience } from '../src/publish/body-chunks.ts'
import { createNewTopics } from '../src/publish/new-topics.ts'
import { type TopicLimits, topicLimits } from '../src/publish/topic-limits.ts'
import { createReplays, type ReplayTimes } from '../src/read/replay.ts'
import { type Connections, createConnections } from '../src/sockets/connections.ts'
import { createTails, type Tails, type TailsOptions } from '../src/tail/tails.ts'

/** Nobody listens on port 1. */
export const nowhere = {
  redisUrl: 'redis://127.0.0.1:1',
  databaseUrl: 'postgres://nobody:nothing@127.0.0.1:1/nowhere',
} as const

/** What a gateway is made of, wired as in main.ts. */
export interface Gateway extends App, AsyncDisposable {
  readonly broker: Broker
  readonly appender: Appender
  readonly store: Store
  readonly tails: Tails
  readonly drain: AbortController
  readonly readiness: Readiness
  readonly connections: Connections
}

export function createGateway({
  redisUrl,
  databaseUrl,
  prefix = 'sekali',
  replayTimes,
  tailsOptions,
  connections = createConnections(),
  topics = topicLimits,
  patience,
  hosts,
  responseBytesMax,
}: {
  readonly redisUrl: string
  readonly databaseUrl: string
  readonly prefix?: string
  readonly replayTimes?: ReplayTimes
  readonly tailsOptions?: TailsOptions
  readonly connections?: Connections
  readonly topics?: TopicLimits
  readonly patience?: Patience
  readonly hosts?: readonly string[]
  readonly responseBytesMax?: number
}): Gateway {
  const log = createLog('gateway', 'silent')
  const broker = connectBroker({ url: redisUrl, prefix, name: 'test' }, log)
  const figuresBroker = connectBroker({ url: redisUrl, prefix, name: 'test-figures' }, log)
  // A busy machine may take longer for a connection than those wait who have better things to do.
  const store = connectStore({ url: databaseUrl, poolMax: 8, name: 'test', connectMs: 10_000 }, log)
  const heads = createHeads({ broker, store, log })
  const appender = createAppender(broker, createDoorbell(broker))
  const drain = new AbortController()
  const tails = createTails({ heads, store, log, signal: drain.signal }, tailsOptions)
  const clients = createClients()
  const replays = createReplays({ store, clients, log, signal: drain.signal }, replayTimes)
  const newTopics = createNewTopics({ broker, store, log }, topics)
  const readiness = createReadiness({ broker, figuresBroker, store, log })
  const parts = {
    broker,
    figuresBroker,
    readiness,
    appender,
    store,
    heads,
    tails,
    replays,
    clients,
    newTopics,
    connections,
    hosts,
    log,
  }
  return {
    ...createApp({
      ...parts,
      signal: drain.signal,
      ...(patience && { patience }),
      ...(responseBytesMax && { responseBytesMax }),
    }),
    ...parts,
    drain,
    async [Symbol.asyncDispose]() {
      await tails[Symbol.asyncDispose]()
      await heads[Symbol.asyncDispose]()
      await broker[Symbol.asyncDispose]()
      await figuresBroker[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

export function eventBody(fields: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    topic: 'orders',
    event_id: 'order-1',
    timestamp: '2025-12-08T10:00:00.123456+00:00',
    source: 'shop',
    payload: { amount: 10 },
    ...fields,
  })
}

export function post(
  body: string | Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>> = {},
): RequestInit {
  return { method: 'POST', body, headers: { 'Content-Type': 'application/json', ...headers } }
}

export interface ProblemBody {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly errors?: readonly { path: string; code: string; message: string }[]
}

export async function problemIn(response: Response): Promise<ProblemBody> {
  return (await response.json()) as ProblemBody
}
