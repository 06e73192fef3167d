import { connectBroker, untilConnected } from '@sekali/broker/connect'
import type { NotLoaded } from '@sekali/core/not-loaded'
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
import { createTroubles } from '@sekali/process/troubles'
import { createWorkQueue } from '@sekali/process/work-queue'
import { connectStore } from '@sekali/store/connect'
import { parseConfig } from './config.ts'
import { createDefinitions } from './definitions/definitions.ts'
import { startFolding } from './definitions/folding.ts'
import type { LoadedDefinition } from './definitions/held-process.ts'
import { createReports } from './definitions/reports.ts'
import { listenToHints } from './hints.ts'
import { runLoop } from './loop.ts'
import { addProjectorMetrics } from './metrics/turns.ts'
import { createHealth } from './operate/health.ts'
import { requireNewest } from './operate/lineage.ts'
import { runSweeps } from './sweep.ts'
import type { TurnPoint } from './turn.ts'

const firstConnectionMs = 2_000

await run('projector', async () => {
  const config = parseConfig(process.env)
  const log = createLog('projector', config.logLevel).child({ projector: config.projector })
  const signal = shutdownSignal(log)

  await using store = connectStore(config.store, log)
  await using broker = connectBroker(config.broker, log)
  const metrics = createMetrics()
  addPoolMetrics(metrics, store.pool)
  await using _metrics = await serveMetrics('projector', metrics, config.metrics, log)
  await using folding = startFolding(config.folding, log)
  let notLoaded: readonly NotLoaded[] = []
  const load = createDefinitions(config.definitions, folding, log, (files) => {
    notLoaded = files
  })
  const troubles = createTroubles<string>('projection', log)
  const check = createHealth({ broker, store, troubles, notLoaded: () => notLoaded })
  await using listener = await serveRoutes(healthRoutes(check, signal), config.health, log)
  const report = createReports(store, config.projector)
  const queue = createWorkQueue<string>()
  let definitions = new Map<string, LoadedDefinition>()
  await using _hints = listenToHints(broker, () => definitions.values(), queue)

  log.info({ health: listener.url }, 'folding')
  notifySupervisor({ health: listener.url })
  void explain()
  const context = {
    store,
    folding,
    log,
    troubles,
    turnEventsMax: config.turnEventsMax,
    slowTurnMs: config.folding.foldMs,
    metrics: addProjectorMetrics(metrics),
    at: failpoint<TurnPoint>(config.failpoint, log),
    definitionOf: (name: string) => definitions.get(name),
    requireNewest: () => requireNewest(broker, store),
    load,
    report: () => report(notLoaded),
    onDefinitions: (now: readonly LoadedDefinition[]) => {
      definitions = new Map(now.map((definition) => [definition.name, definition]))
    },
  }
  await Promise.all([runLoop(context, queue, signal), runSweeps(context, queue, signal)])
  log.info('drained')

  async function explain(): Promise<void> {
    await untilConnected(broker, firstConnectionMs).catch(() => undefined) // then the look says why
    await logHealth(check, { broker, store }, log)
  }
})
