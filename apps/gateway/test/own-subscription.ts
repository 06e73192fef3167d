/** A gateway that asks for no keys, with subscriptions, on a database of its own without consumers. */
import { untilConnected } from '@sekali/broker/connect'
import { ownDatabase, ownPrefix } from '@sekali/testkit/own'
import { event } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import { inject } from 'vitest'
import type { GatewayOptions } from '../src/wire.ts'
import { serveGateway } from './served-gateway.ts'

export interface PulledBody {
  readonly items: readonly {
    readonly token: string
    readonly attempt: number
    readonly event: Readonly<Record<string, unknown>> & { readonly seq: number; readonly topic: string }
  }[]
  readonly token: string
  readonly lease_s: number
  readonly lease_until: string
  readonly blocked_by?: readonly { readonly topic: string; readonly source?: string }[]
}

export async function ownSubscriptions(
  options: GatewayOptions = {},
  { redisUrl = inject('redisUrl'), postgresUrl = inject('postgresUrl') } = {},
) {
  const stack = new AsyncDisposableStack()
  const { url: databaseUrl } = stack.use(await ownDatabase(postgresUrl))
  const prefix = ownPrefix()
  const gateway = stack.use(await serveGateway({ redisUrl, databaseUrl, prefix, ...options }))
  await untilConnected(gateway.broker, 5_000)
  gateway.subscriptions.start()
  const calls = callsOf(gateway.url)
  return {
    ...gateway,
    ...calls,
    env: { REDIS_URL: redisUrl, DATABASE_URL: databaseUrl, REDIS_PREFIX: prefix, LOG_LEVEL: 'warn' },
    /** Stores events of a topic, as a consumer does that announces nothing. */
    append: (topic: string, from: number, to: number, fields: { source?: string; payload?: string } = {}) =>
      storeEvents(
        gateway.store,
        Array.from({ length: to - from + 1 }, (_, index) =>
          event({ topic, eventId: `${topic}-${from + index}`, ...fields }),
        ),
      ),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** What workers and administrators ask of a gateway. */
export function callsOf(url: string, headers: Readonly<Record<string, string>> = {}) {
  const send = (method: string, path: string, body?: unknown, init: RequestInit = {}) =>
    fetch(`${url}/subscriptions${path}`, {
      method,
      headers: { 'Content-Type': 'application/json', ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...init,
    })
  const json = async (answer: Promise<Response>) => (await (await answer).json()) as Record<string, unknown>
  return {
    send,
    put: (name: string, fields: object) => send('PUT', `/${name}`, { from: 'start', ...fields }),
    show: (name: string) => json(send('GET', `/${name}`)),
    pull: (name: string, fields: object = {}, init: RequestInit = {}) =>
      send('POST', `/${name}/pull`, fields, init),
    pulled: async (name: string, fields: object = {}) =>
      (await (await send('POST', `/${name}/pull`, fields)).json()) as PulledBody,
    settle: async (name: string, items: readonly object[]) => {
      const answer = await json(send('POST', `/${name}/settle`, { items }))
      return (answer.items as { result: string }[]).map(({ result }) => result)
    },
  }
}
