import { once } from 'node:events'
import { createAppender } from '@sekali/broker/append'
import { connectBroker, untilConnected } from '@sekali/broker/connect'
import { createDoorbell } from '@sekali/broker/doorbell'
import { createLog } from '@sekali/process/log'
import { run } from '@sekali/process/run'
import { shutdownSignal } from '@sekali/process/shutdown'
import { connectStore } from '@sekali/store/connect'
import { createApp } from './app.ts'
import { createClients } from './clients/clients.ts'
import { parseConfig } from './config.ts'
import { createHeads } from './heads/heads.ts'
import { createProbes, serveProbes } from './operate/probes.ts'
import { createReadiness, watchReadiness } from './operate/readiness.ts'
import { createNewTopics } from './publish/new-topics.ts'
import { createReplays } from './read/replay.ts'
import { createConnections } from './sockets/connections.ts'
import { serveHttp } from './sockets/server.ts'
import { createTails } from './tail/tails.ts'

const firstConnectionMs = 2_000

await run('gateway', async () => {
  const config = parseConfig(process.env)
  const log = createLog('gateway', config.logLevel)
  const signal = shutdownSignal(log)

  // Closed in reverse order: the door first, so that requests in flight still have what they need.
  await using store = connectStore(config.store, log)
  await using broker = connectBroker(config.broker, log)
  const second = { ...config.broker, name: `${config.broker.name}-figures`, isQuiet: true }
  await using figuresBroker = connectBroker(second, log)
  await using heads = createHeads({ broker, store, log })
  await using tails = createTails({ heads, store, log, signal }, { feedsMax: config.feedsMax })
  const clients = createClients(config.trustedProxies)
  const replays = createReplays({ store, clients, log, signal })
  const newTopics = createNewTopics({ broker, store, log }, config.topics)
  const connections = createConnections({ tailsMax: config.tailsMax, clients })
  const appender = createAppender(broker, createDoorbell(broker))
  // Whoever sees the port open may publish. A Redis that is away does not keep it shut: what hangs on it is refused.
  await Promise.allSettled([broker, figuresBroker].map((one) => untilConnected(one, firstConnectionMs)))
  const readiness = createReadiness({ broker, figuresBroker, store, log })
  const { listener } = createApp({
    broker,
    figuresBroker,
    readiness,
    appender,
    store,
    heads,
    tails,
    replays,
    clients,
    newTopics,
    connections,
    hosts: config.hosts,
    log,
    signal,
  })
  await using probes = await serveProbes(createProbes({ readiness, signal }, log), config.health)
  await using server = await serveHttp(listener, { ...config, connections })
  log.info({ url: server.url, health: probes.url }, 'listening')

  void watchReadiness(readiness, signal)
  if (!signal.aborted) await once(signal, 'abort')
})
