import { randomUUID } from 'node:crypto'
import { connectBroker, untilConnected } from '@sekali/broker/connect'
import { pause } from '@sekali/process/backoff'
import { failpoint } from '@sekali/process/failpoint'
import { healthRoutes, logHealth } from '@sekali/process/health'
import { serveRoutes } from '@sekali/process/listener'
import { createLog } from '@sekali/process/log'
import { createMetrics } from '@sekali/process/metrics'
import { notifySupervisor } from '@sekali/process/notice'
import { addPoolMetrics } from '@sekali/process/pool-metrics'
import { run } from '@sekali/process/run'
import { serveMetrics } from '@sekali/process/serve-metrics'
import { shutdownSignal } from '@sekali/process/shutdown'
import { connectStore } from '@sekali/store/connect'
import { beat } from '@sekali/store/dispatchers'
import type { PushTarget } from '@sekali/store/push-dispatch'
import { parseConfig } from './config.ts'
import type { DispatchPoint } from './endpoint/deliver.ts'
import { createSharedSlots } from './endpoint/shared-slots.ts'
import { createEndpoints, type Endpoints } from './endpoints.ts'
import { listenToHints } from './hints.ts'
import { dispatcherLimits as limits } from './limits.ts'
import { addDispatchMetrics } from './metrics/attempts.ts'
import { createHealth } from './operate/health.ts'
import { requireNewest } from './operate/lineage.ts'
import { createSamples } from './samples.ts'
import { openLine } from './send/post.ts'
import { runSweeps } from './sweep.ts'

const firstConnectionMs = 2_000
/** After its requests are cut off, what came of them is written down within this time, or left to the leases. */
const lastWordMs = 1_500

await run('dispatcher', async () => {
  const config = parseConfig(process.env)
  const log = createLog('dispatcher', config.logLevel).child({ dispatcher: config.name })
  const signal = shutdownSignal(log)
  const cut = new AbortController()

  await using store = connectStore(config.store, log)
  await using broker = connectBroker(config.broker, log)
  const metrics = createMetrics()
  addPoolMetrics(metrics, store.pool)
  await using _metrics = await serveMetrics('dispatcher', metrics, config.metrics, log)
  const check = createHealth(broker, store)
  await using listener = await serveRoutes(healthRoutes(check, signal), config.health, log)

  const shared = createSharedSlots(limits.sendingMax, limits.sendingBytesMax)
  const counted = addDispatchMetrics(metrics, {
    sending: () => shared.sending,
    targets: () => endpoints.own,
  })
  const sends = {
    store,
    log,
    sealKey: config.sealKey,
    metrics: counted,
    openLine: ({ url, concurrency }: PushTarget) => openLine(url, concurrency, config.allow),
    cut: cut.signal,
  }
  const me = { id: randomUUID(), name: config.name }
  const endpoints: Endpoints = createEndpoints(
    {
      ...sends,
      shared,
      judge: config.judge,
      worker: me.name,
      at: failpoint<DispatchPoint>(config.failpoint, log),
    },
    me.id,
  )
  await using samples = createSamples(sends)
  await using _hints = listenToHints(broker, endpoints.onStored)

  log.info({ health: listener.url }, 'dispatching')
  notifySupervisor({ health: listener.url })
  void explain()
  const { attemptsDays } = config
  await runSweeps(
    { store, log, me, endpoints, samples, attemptsDays, requireNewest: () => requireNewest(broker, store) },
    signal,
  )
  await leave()
  log.info('drained')

  /** Others take over at once; what is on its way has some time, and what is left then goes out again elsewhere. */
  async function leave(): Promise<void> {
    const done = new AbortController()
    const drained = Promise.all([
      endpoints.drain(),
      beat(store, { ...me, leaves: true }).catch(() => undefined),
    ])
    const given = pause(limits.drainMs, done.signal).then(() => {
      cut.abort()
      return pause(lastWordMs, done.signal)
    })
    await Promise.race([drained, given])
    done.abort()
    cut.abort()
    endpoints.abandon()
  }

  async function explain(): Promise<void> {
    await untilConnected(broker, firstConnectionMs).catch(() => undefined) // then the look says why
    await logHealth(check, { broker, store }, log)
  }
})
