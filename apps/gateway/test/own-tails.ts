import { untilConnected } from '@sekali/broker/connect'
import { startApp } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { ownDatabase, ownPrefix } from '@sekali/testkit/own'
import { event } from '@sekali/testkit/sample'
import { expect, inject } from 'vitest'
import type { TailsOptions } from '../src/tail/tails.ts'
import { serveGateway } from './served-gateway.ts'
import { type OpenTail, openTail } from './sse.ts'

export async function ownTails({
  tailsMax = 4_096,
  ...tailsOptions
}: TailsOptions & { tailsMax?: number } = {}) {
  const stack = new AsyncDisposableStack()
  const redisUrl = inject('redisUrl')
  const { url: databaseUrl } = stack.use(await ownDatabase())
  const prefix = ownPrefix()
  const env = { REDIS_URL: redisUrl, DATABASE_URL: databaseUrl, REDIS_PREFIX: prefix }
  stack.use(startApp('consumer/src/main.ts', env))
  const parts = { redisUrl, databaseUrl, prefix, tails: tailsOptions, tailsMax }
  const gateway = stack.use(await serveGateway(parts))
  const { broker, appender, store, tails, url } = gateway
  await untilConnected(broker, 5_000)
  const append = async (
    topic: string,
    from: number,
    to: number,
    fields: { source?: string; payload?: string } = {},
  ) => {
    const events = Array.from({ length: to - from + 1 }, (_, index) =>
      event({ topic, eventId: `${topic}-${from + index}`, ...fields }),
    )
    expect((await appender.appendAll(events)).failure).toBeUndefined()
  }
  return {
    url,
    store,
    tails,
    append,
    /** Resolves once the topic's log has come so far. */
    stored: (topic: string, head: number) =>
      eventually(async () => {
        const { rows } = await store.pool.query('SELECT head FROM topics WHERE name = $1', [topic])
        expect(Number(rows[0]?.head)).toBe(head)
      }),
    tail: (query: string, headers?: Record<string, string>) => openTail(url, query, headers),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

export const seqsOf = ({ told }: OpenTail) => told.map(({ data }) => data.seq)
