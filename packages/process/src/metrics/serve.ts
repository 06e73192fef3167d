/**
 * GET /metrics, on a port of its own: it is for operators, and whoever may publish need not see it. Nothing in it is a
 * secret or an event's content; names of topics are in it.
 */
import type { Listener } from '../operate/listener.ts'
import { serveRoutes } from '../operate/listener.ts'
import type { Logger } from '../start/log.ts'
import { notifySupervisor } from '../start/notice.ts'
import type { Metrics } from './metrics.ts'
import { addProcessMetrics } from './process-metrics.ts'

export interface MetricsAddress {
  readonly host: string
  /** 0 is any free port; the log names it. */
  readonly port: number
}

/** Less than the 10 s after which Prometheus gives up. */
const scrapeMsMax = 9_000

/** Serves the metrics, and adds those of the process. Rejects with `InvalidConfig` if nobody can listen there. */
export async function serveMetrics(
  app: string,
  metrics: Metrics,
  address: MetricsAddress,
  log: Logger,
): Promise<Listener> {
  await using parts = new AsyncDisposableStack()
  parts.use(addProcessMetrics(metrics, app))
  const answer = async () => ({ status: 200, type: metrics.contentType, body: await metrics.scrape() })
  const options = { ...address, variables: 'METRICS_HOST and METRICS_PORT', answerMs: scrapeMsMax }
  const listener = parts.use(await serveRoutes([{ path: '/metrics', answer }], options, log))
  const url = `${listener.url}/metrics`
  log.info({ url }, 'metrics are served')
  notifySupervisor({ metrics: url })
  const served = parts.move()
  return { url, [Symbol.asyncDispose]: () => served.disposeAsync() }
}
