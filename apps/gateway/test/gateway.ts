import { type Broker, connectBroker } from '@sekali/broker/connect'
import type { Diagnosis } from '@sekali/core/finding'
import { createLog } from '@sekali/process/log'
import { connectStore, type Store } from '@sekali/store/connect'
import { watched, watchRequests } from '@sekali/testkit/answers'
import { type GatewayOptions, type Gateway as Wired, wireGateway } from '../src/wire.ts'

/** Nobody listens on port 1. */
export const nowhere = {
  redisUrl: 'redis://127.0.0.1:1',
  databaseUrl: 'postgres://nobody:nothing@127.0.0.1:1/nowhere',
} as const

/** A gateway with the connections it was made on. */
export interface Gateway extends Wired {
  readonly broker: Broker
  readonly figuresBroker: Broker
  readonly store: Store
  readonly drain: AbortController
}

export interface OwnGatewayOptions extends GatewayOptions {
  readonly redisUrl: string
  readonly databaseUrl: string
  /** Of a standby. */
  readonly readUrl?: string
  readonly prefix?: string
  readonly replicasMin?: number
}

export function createGateway({
  redisUrl,
  databaseUrl,
  readUrl,
  prefix = 'sekali',
  replicasMin = 0,
  ...options
}: OwnGatewayOptions): Gateway {
  const log = createLog('gateway', 'silent')
  const redis = { url: redisUrl, prefix, replicasMin }
  const broker = connectBroker({ ...redis, name: 'test' }, log)
  const figuresBroker = connectBroker({ ...redis, name: 'test-figures' }, log)
  // A busy machine may take longer for a connection than those wait who have better things to do.
  const store = connectStore({ url: databaseUrl, poolMax: 8, name: 'test', connectMs: 10_000 }, log)
  const readStore =
    readUrl === undefined
      ? undefined
      : connectStore({ url: readUrl, poolMax: 8, name: 'test', connectMs: 10_000, isForReads: true }, log)
  const drain = new AbortController()
  const wired = wireGateway({ broker, figuresBroker, store, readStore, log, signal: drain.signal }, options)
  watchRequests(wired.app)
  return {
    ...wired,
    listener: watched(wired.listener),
    broker,
    figuresBroker,
    store,
    drain,
    async [Symbol.asyncDispose]() {
      await wired[Symbol.asyncDispose]()
      await broker[Symbol.asyncDispose]()
      await figuresBroker[Symbol.asyncDispose]()
      await readStore?.[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

/** What the doctor finds. */
export async function diagnose({ app }: Gateway): Promise<Diagnosis> {
  return (await (await app.request('/doctor')).json()) as Diagnosis
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
