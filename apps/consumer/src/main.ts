import { connectBroker, untilConnected } from '@sekali/broker/connect'
import { leave } from '@sekali/broker/presence'
import type { TopicName } from '@sekali/core/event'
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
import { startTracing } from '@sekali/process/traces'
import { createTroubles } from '@sekali/process/troubles'
import { createWorkQueue } from '@sekali/process/work-queue'
import { connectStore } from '@sekali/store/connect'
import { processName } from '@sekali/store/process-name'
import { parseConfig } from './config.ts'
import { runLoop } from './loop.ts'
import { createTurnTraces } from './metrics/traces.ts'
import { addConsumerMetrics } from './metrics/turns.ts'
import { createHealth } from './operate/health.ts'
import { createSharing } from './sharing/sharing.ts'
import type { TurnPoint } from './turn.ts'
import { createKeeper } from './upkeep/keep.ts'
import { createMemory } from './upkeep/memory.ts'
import type { RetirePoint } from './upkeep/retire.ts'
import { createSummaries, runSummaries } from './upkeep/summaries.ts'
import { runSweeps } from './upkeep/sweep.ts'

const firstConnectionMs = 2_000

await run('consumer', async () => {
  const config = parseConfig(process.env)
  const { consumer } = config
  const log = createLog('consumer', config.logLevel).child({ consumer })
  const signal = shutdownSignal(log)

  await using store = connectStore({ ...config.store, name: processName(consumer) }, log)
  await using broker = connectBroker({ ...config.broker, name: `sekali-${consumer}` }, log)
  await using tracing = await startTracing('consumer', config.tracing)
  await using traces = tracing && createTurnTraces(tracing, broker, log)
  const metrics = createMetrics()
  addPoolMetrics(metrics, store.pool)
  await using _metrics = await serveMetrics('consumer', metrics, config.metrics, log)
  const queue = createWorkQueue<TopicName>()
  const memory = createMemory()
  await using sharing = createSharing({ broker, consumer, log }, queue, memory.caughtUp)
  const summaries = createSummaries()
  const progress = { turns: 0, lastTurnAt: null }
  const troubles = createTroubles<TopicName>('topic', log)
  const check = createHealth({ broker, store, troubles })
  await using listener = await serveRoutes(healthRoutes(check, signal), config.health, log)
  const context = {
    broker,
    store,
    consumer,
    log,
    readMs: config.readMs,
    troubles,
    turnEventsMax: config.turnEventsMax,
    quietMs: config.quietMs,
    keeper: createKeeper({ broker, store, log }, config.keepMs),
    sharing,
    metrics: addConsumerMetrics(metrics),
    traces,
    at: failpoint<TurnPoint | RetirePoint>(config.failpoint, log),
    startedAt: new Date().toISOString(),
  }

  log.info({ health: listener.url }, 'consuming')
  notifySupervisor({ health: listener.url })
  void explain()
  await Promise.all([
    runLoop(context, queue, memory, summaries, progress, signal),
    runSummaries(context, summaries, signal),
    runSweeps(context, queue, memory, progress, signal),
  ])
  await leave(broker, consumer).catch(() => undefined) // it would expire by itself
  log.info({ turns: progress.turns }, 'drained')

  async function explain(): Promise<void> {
    await untilConnected(broker, firstConnectionMs).catch(() => undefined) // then the look says why
    await logHealth(check, { broker, store }, log)
  }
})
