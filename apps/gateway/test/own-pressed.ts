/** A system whose consumers are stopped, and publishers who see what they are answered. */
import { untilConnected } from '@sekali/broker/connect'
import { startApp } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker, ownDatabase } from '@sekali/testkit/own'
import { inject } from 'vitest'
import { type PressureLimits, pressureLimits } from '../src/pressure/limits.ts'
import { eventBody, nowhere, type OwnGatewayOptions, post } from './gateway.ts'
import { type ServedGateway, serveGateway } from './served-gateway.ts'

interface Answer {
  readonly status: number
  readonly retryAfter: number
  readonly body: {
    readonly code: string
    readonly topics?: readonly string[]
    readonly queued?: number
    readonly lines_read?: number
  }
}

export const orderOf = (topic: string, id: string, payload: unknown = { n: 1 }): string =>
  eventBody({ topic, event_id: id, payload })

const publishersOf = ({ url }: ServedGateway) => {
  let id = 0
  const send = async (body: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => {
    const response = await fetch(`${url}/publish`, post(body, headers))
    const retryAfter = Number(response.headers.get('retry-after'))
    return { status: response.status, retryAfter, body: (await response.json()) as Answer['body'] }
  }
  const publish = (topic: string, payload?: unknown) => send(orderOf(topic, `${url} ${++id}`, payload))
  return {
    send,
    publish,
    /** Publishes to a topic until it is refused; says how many were taken, and how many got no certain answer. */
    async fill(topic: string, payload?: unknown, most = 5_000) {
      let taken = 0
      let uncertain = 0
      while (taken + uncertain < most) {
        const answer = await publish(topic, payload)
        if (answer.status === 200) taken += 1
        // On a busy machine Redis may take longer than the gateway waits.
        else if (answer.body.code === 'broker_unavailable') uncertain += 1
        else return { taken, uncertain, answer }
      }
      throw new Error(`${topic} takes ${most} events`)
    },
  }
}

export type PressedGateway = ServedGateway & ReturnType<typeof publishersOf>

async function startGateway(parts: OwnGatewayOptions): Promise<PressedGateway> {
  const gateway = await serveGateway(parts)
  await untilConnected(gateway.broker, 15_000)
  await untilConnected(gateway.figuresBroker, 15_000)
  return { ...gateway, ...publishersOf(gateway) }
}

/** As many gateways as there are bounds, which say what differs from the usual ones. */
export async function ownPressed(
  bounds: readonly Partial<PressureLimits>[],
  { isStoreAway = false }: { readonly isStoreAway?: boolean } = {},
) {
  const stack = new AsyncDisposableStack()
  const databaseUrl = isStoreAway ? nowhere.databaseUrl : stack.use(await ownDatabase()).url
  const broker = stack.use(await ownBroker())
  const { prefix } = broker
  const redisUrl = inject('redisUrl')
  const start = async (differs: Partial<PressureLimits>) => {
    const pressure = { ...pressureLimits, ...differs }
    const gateway = stack.use(await startGateway({ redisUrl, databaseUrl, prefix, pressure }))
    // On a busy machine the first look would not wait for a first connection.
    if (!isStoreAway) await gateway.store.pool.query('SELECT 1')
    return gateway
  }
  const gateways: PressedGateway[] = []
  for (const one of bounds) gateways.push(await start(one))
  const added = async (topic: string) => {
    const info = (await broker.redis.xinfo('STREAM', `${prefix}:stream:${topic}`)) as unknown[]
    return Number(info[info.indexOf('entries-added') + 1])
  }
  return {
    gateways,
    gateway: gateways[0] as PressedGateway,
    start,
    /** How many entries Redis has counted. */
    added,
    /**
     * Publishes until Redis has so many. What comes during a look counts twice until the next one, so a first refusal may
     * come a little early.
     */
    fillTo: (topic: string, count: number) =>
      eventually(async () => {
        await gateways[0]?.fill(topic)
        const now = await added(topic)
        if (now !== count) throw new Error(`${now} of ${count}`)
      }),
    startConsumer: () => {
      const urls = { REDIS_URL: redisUrl, DATABASE_URL: databaseUrl, REDIS_PREFIX: prefix }
      const env = { ...urls, CONSUMER_NAME: 'late', LOG_LEVEL: 'warn' }
      return stack.use(startApp('consumer/src/main.ts', env))
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
