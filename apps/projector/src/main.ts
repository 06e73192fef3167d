import { connectBroker } from '@sekali/broker/connect'
import type { NotLoaded } from '@sekali/core/not-loaded'
import { failpoint } from '@sekali/process/failpoint'
import { createLog } from '@sekali/process/log'
import { run } from '@sekali/process/run'
import { shutdownSignal } from '@sekali/process/shutdown'
import { createWorkQueue } from '@sekali/process/work-queue'
import { connectStore } from '@sekali/store/connect'
import { parseConfig } from './config.ts'
import { createDefinitions } from './definitions/definitions.ts'
import { startFolding } from './definitions/folding.ts'
import type { LoadedDefinition } from './definitions/held-process.ts'
import { createReports } from './definitions/reports.ts'
import { listenToHints } from './hints.ts'
import { runLoop } from './loop.ts'
import { runSweeps } from './sweep.ts'
import type { TurnPoint } from './turn.ts'

await run('projector', async () => {
  const config = parseConfig(process.env)
  const log = createLog('projector', config.logLevel).child({ projector: config.projector })
  const signal = shutdownSignal(log)

  await using store = connectStore(config.store, log)
  await using broker = connectBroker(config.broker, log)
  await using folding = startFolding(config.folding, log)
  let notLoaded: readonly NotLoaded[] = []
  const load = createDefinitions(config.definitions, folding, log, (files) => {
    notLoaded = files
  })
  const report = createReports(store, config.projector)
  const queue = createWorkQueue<string>()
  let definitions = new Map<string, LoadedDefinition>()
  await using _hints = listenToHints(broker, () => definitions.values(), queue)

  log.info('folding')
  const context = {
    store,
    folding,
    log,
    turnEventsMax: config.turnEventsMax,
    slowTurnMs: config.folding.foldMs,
    at: failpoint<TurnPoint>(config.failpoint, log),
    definitionOf: (name: string) => definitions.get(name),
    load,
    report: () => report(notLoaded),
    onDefinitions: (now: readonly LoadedDefinition[]) => {
      definitions = new Map(now.map((definition) => [definition.name, definition]))
    },
  }
  await Promise.all([runLoop(context, queue, signal), runSweeps(context, queue, signal)])
  log.info('drained')
})
