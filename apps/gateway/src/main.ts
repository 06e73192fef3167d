import { once } from 'node:events'
import { connectBroker, untilConnected } from '@sekali/broker/connect'
import { createLog } from '@sekali/process/log'
import { run } from '@sekali/process/run'
import { serveMetrics } from '@sekali/process/serve-metrics'
import { shutdownSignal } from '@sekali/process/shutdown'
import { startTracing } from '@sekali/process/traces'
import { connectStore } from '@sekali/store/connect'
import { parseConfig } from './config.ts'
import { nobodyAsked, proxySetting, waysOut } from './operate/access-finding.ts'
import { createProbes, serveProbes } from './operate/probes.ts'
import { watchReadiness } from './operate/readiness.ts'
import { serveHttp } from './sockets/server.ts'
import { readWebhooks } from './subscriptions/push/webhooks.ts'
import { wireGateway } from './wire.ts'

const firstConnectionMs = 2_000

await run('gateway', async () => {
  const config = parseConfig(process.env)
  const log = createLog('gateway', config.logLevel)
  const signal = shutdownSignal(log)

  // Closed in reverse order: the door first, so that requests in flight still have what they need.
  await using store = connectStore(config.store, log)
  await using readStore = config.readStore ? connectStore(config.readStore, log) : undefined
  await using broker = connectBroker(config.broker, log)
  const second = { ...config.broker, name: `${config.broker.name}-figures`, isQuiet: true }
  await using figuresBroker = connectBroker(second, log)
  // To wait for replicas holds a connection up, and with it whatever else is asked there.
  const third = { ...second, name: `${config.broker.name}-appends` }
  await using waitingBroker = config.broker.replicasMin > 0 ? connectBroker(third, log) : undefined
  const appendBroker = waitingBroker ?? broker
  await using tracing = await startTracing('gateway', config.tracing)
  const deps = { broker, appendBroker, figuresBroker, store, readStore, tracing, log, signal }
  const webhooks = readWebhooks(config.webhooks)
  await using gateway = wireGateway(deps, { ...config, webhooks })
  const { listener, readiness, connections, metrics, onAnswer, runner, sampler, subscriptions } = gateway
  await using _metrics = await serveMetrics('gateway', metrics, config.metrics, log)
  // Whoever sees the port open may publish. A Redis that is away does not keep it shut: what hangs on it is refused.
  const brokers = [broker, appendBroker, figuresBroker]
  await Promise.allSettled(brokers.map((one) => untilConnected(one, firstConnectionMs)))
  await using probes = await serveProbes(createProbes({ readiness, signal }, log), config.health)
  await using server = await serveHttp(listener, { ...config, connections, onAnswer })
  log.info({ url: server.url, health: probes.url, auth: config.auth }, 'listening')
  const proxy = proxySetting(config)
  if (config.auth === 'off' && proxy !== undefined) log.warn(`${nobodyAsked(proxy)}: ${waysOut}`)

  runner.start()
  sampler.start()
  subscriptions.start()
  void watchReadiness(readiness, signal)
  if (!signal.aborted) await once(signal, 'abort')
})
