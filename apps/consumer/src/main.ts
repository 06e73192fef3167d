import { connectBroker, untilConnected } from '@sekali/broker/connect'
import { listen } from '@sekali/broker/doorbell'
import { listenToHeads } from '@sekali/broker/heads'
import { checkBroker } from '@sekali/broker/health'
import { leave } from '@sekali/broker/presence'
import type { TopicName } from '@sekali/core/event'
import type { Head } from '@sekali/core/head'
import { failpoint } from '@sekali/process/failpoint'
import { createLog } from '@sekali/process/log'
import { run } from '@sekali/process/run'
import { shutdownSignal } from '@sekali/process/shutdown'
import { createWorkQueue } from '@sekali/process/work-queue'
import { connectStore } from '@sekali/store/connect'
import { findWeakSettings } from '@sekali/store/health'
import { parseConfig } from './config.ts'
import { onHeadAnnounced, runLoop } from './loop.ts'
import { createMemory } from './memory.ts'
import type { TurnPoint } from './turn.ts'
import type { RetirePoint } from './upkeep/retire.ts'
import { createSummaries, runSummaries } from './upkeep/summaries.ts'
import { runSweeps } from './upkeep/sweep.ts'

await run('consumer', async () => {
  const config = parseConfig(process.env)
  const { consumer } = config
  const log = createLog('consumer', config.logLevel).child({ consumer })
  const signal = shutdownSignal(log)

  await using store = connectStore({ ...config.store, name: `sekali-${consumer}` }, log)
  await using broker = connectBroker({ ...config.broker, name: `sekali-${consumer}` }, log)
  const queue = createWorkQueue<TopicName>()
  await using _doorbell = listen(broker, queue.add)
  const memory = createMemory()
  await using _heads = listenToHeads(broker, (head) => onHeadAnnounced(head, queue, memory))
  const summaries = createSummaries()
  const progress = { turns: 0, lastTurnAt: null }
  const context = {
    broker,
    store,
    consumer,
    log,
    readMs: config.readMs,
    turnEventsMax: config.turnEventsMax,
    quietMs: config.quietMs,
    onOwnCommit: ({ topic, position }: Head) => void memory.committed.set(topic, position),
    at: failpoint<TurnPoint | RetirePoint>(config.failpoint, log),
    startedAt: new Date().toISOString(),
  }

  log.info('consuming')
  void warnOfWeakSettings()
  await Promise.all([
    runLoop(context, queue, memory, summaries, progress, signal),
    runSummaries(context, summaries, signal),
    runSweeps(context, queue, memory, progress, signal),
  ])
  await leave(broker, consumer).catch(() => undefined) // it would expire by itself
  log.info({ turns: progress.turns }, 'drained')

  async function warnOfWeakSettings(): Promise<void> {
    try {
      await untilConnected(broker, 10_000)
      const { problems, warnings } = await checkBroker(broker)
      for (const finding of [...problems, ...warnings]) log.warn(`redis: ${finding}`)
      for (const finding of await findWeakSettings(store)) log.warn(`postgres: ${finding}`)
    } catch (error) {
      log.warn({ err: error }, 'settings could not be checked')
    }
  }
})
