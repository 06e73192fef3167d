import type { Metrics } from './metrics.ts'

/** What is known of a pool of connections. */
interface Pool {
  readonly totalCount: number
  readonly idleCount: number
  readonly waitingCount: number
}

/** Says how busy the connections to PostgreSQL are. */
export function addPoolMetrics({ read }: Metrics, pool: Pool): void {
  read(
    'gauge',
    ['sekali_postgres_pool_connections', 'Connections to PostgreSQL, by what they do.'],
    () => [
      { labels: { state: 'busy' }, value: pool.totalCount - pool.idleCount },
      { labels: { state: 'idle' }, value: pool.idleCount },
    ],
    ['state'],
  )
  read(
    'gauge',
    ['sekali_postgres_pool_waiting', 'Calls that wait for a connection to PostgreSQL.'],
    () => pool.waitingCount,
  )
}
