import { createAppender } from '@sekali/broker/append'
import { connectBroker } from '@sekali/broker/connect'
import { createDoorbell } from '@sekali/broker/doorbell'
import { createLog } from '@sekali/process/log'
import { connectStore } from '@sekali/store/connect'
import { type App, createApp } from '../src/app.ts'
import { type Connections, createConnections } from '../src/connections.ts'
import { createHeads } from '../src/heads.ts'
import { createReplays, type ReplayTimes } from '../src/replay.ts'
import { createTails } from '../src/tails.ts'

/** Nobody listens on port 1. */
export const nowhere = {
  redisUrl: 'redis://127.0.0.1:1',
  databaseUrl: 'postgres://nobody:nothing@127.0.0.1:1/nowhere',
} as const

export interface Gateway extends App, AsyncDisposable {
  readonly drain: AbortController
  readonly connections: Connections
}

export function createGateway({
  redisUrl,
  databaseUrl,
  prefix = 'sekali',
  replayTimes,
}: {
  readonly redisUrl: string
  readonly databaseUrl: string
  readonly prefix?: string
  readonly replayTimes?: ReplayTimes
}): Gateway {
  const log = createLog('gateway', 'silent')
  const broker = connectBroker({ url: redisUrl, prefix, name: 'test' }, log)
  const store = connectStore({ url: databaseUrl, poolMax: 4, name: 'test' }, log)
  const heads = createHeads({ broker, store, log })
  const appender = createAppender(broker, createDoorbell(broker))
  const drain = new AbortController()
  const tails = createTails({ heads, store, log, signal: drain.signal })
  const replays = createReplays({ store, log, signal: drain.signal }, replayTimes)
  const connections = createConnections()
  return {
    ...createApp({
      broker,
      appender,
      store,
      heads,
      tails,
      replays,
      connections,
      log,
      signal: drain.signal,
    }),
    drain,
    connections,
    async [Symbol.asyncDispose]() {
      await tails[Symbol.asyncDispose]()
      await heads[Symbol.asyncDispose]()
      await broker[Symbol.asyncDispose]()
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
