import type { Broker } from '@sekali/broker/connect'

/** The traceparents that lie beside a topic's packs. */
export async function readTopicTraces({ redis, prefix }: Broker, topic: string): Promise<string[]> {
  const rows = await redis.xrange(`${prefix}:traces:${topic}`, '-', '+')
  return rows.map(([, fields]) => String(fields[1]))
}
