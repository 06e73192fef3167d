/** A real Prometheus on a system that runs: what it reads of it, what the dashboard shows, which alert fires. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { programs } from '@sekali/local/repository'
import { freePort } from '@sekali/servers/free-port'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { requireDebian } from '@sekali/testkit/debian'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker } from '@sekali/testkit/own'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { documentedNames, namesIn, panelsOf } from '../test/names.ts'

const folderOfRules = fileURLToPath(new URL('..', import.meta.url))
const parts = new AsyncDisposableStack()
afterAll(() => parts.disposeAsync())

interface Running {
  readonly gateway: { readonly url: string; readonly metrics: string | null }
  readonly consumers: readonly { readonly pid: number; readonly metrics: string | null }[]
  readonly projectors: readonly { readonly metrics: string | null }[]
  readonly dispatchers: readonly { readonly metrics: string | null }[]
  readonly redis: { readonly url: string }
}

let system: Awaited<ReturnType<typeof ownSystem>>
let prometheus: Awaited<ReturnType<typeof ownPrometheus>>
beforeAll(async () => {
  await requireDebian('prometheus')
  system = await ownSystem()
  prometheus = await ownPrometheus(system.data)
})

/** `npm start`, on a folder of its own. */
async function ownSystem() {
  const { path: data } = parts.use(await temporaryFolder('sekali-test-'))
  const args = [programs.start, '--port', String(await freePort()), '--consumers', '2', '--data', data]
  const env = { ...process.env, WEBHOOK_ALLOW: '127.0.0.0/8' }
  const child = spawn(process.execPath, args, { stdio: 'ignore', env })
  const exited = once(child, 'exit')
  parts.defer(async () => {
    child.kill('SIGTERM')
    await exited
  })
  const running = async () => JSON.parse(await readFile(join(data, 'run.json'), 'utf8')) as Running
  const all = ({ gateway, consumers, projectors, dispatchers }: Running) => [
    gateway,
    ...consumers,
    ...projectors,
    ...dispatchers,
  ]
  const started = await eventually(async () => {
    const now = await running()
    expect(all(now).map(({ metrics }) => typeof metrics)).toEqual(Array(5).fill('string'))
    return now
  }, 60_000)
  const subscriptions = `${started.gateway.url}/subscriptions`
  const put = async (name: string, fields: object) => {
    const headers = { 'Content-Type': 'application/json' }
    const init = { method: 'PUT', body: JSON.stringify(fields), headers }
    expect((await fetch(`${subscriptions}/${name}`, init)).status).toBe(201)
  }
  await put('mailer', { topics: 'orders' })
  // Nobody listens there, and of its topic there are no events.
  await put('hook', { kind: 'push', topics: 'none', url: 'http://127.0.0.1:1/', timeout_s: 1 })
  let events = 0
  return {
    data,
    started,
    test: () => fetch(`${subscriptions}/hook/test`, { method: 'POST' }),
    metrics: all(started).map(({ metrics }) => String(metrics)),
    publish: async (count: number) => {
      for (let n = 0; n < count; n += 1) {
        const event = {
          topic: 'orders',
          event_id: `e${++events}`,
          timestamp: '2025-12-08T10:00:00Z',
          source: 's',
        }
        const body = JSON.stringify({ ...event, payload: {} })
        const { status } = await fetch(`${started.gateway.url}/publish`, {
          method: 'POST',
          body,
          headers: { 'Content-Type': 'application/json' },
        })
        expect(status).toBe(200)
      }
    },
  }
}

/** A Prometheus that scrapes each second; its rules are ours with shorter times. */
async function ownPrometheus(data: string) {
  const { path } = parts.use(await temporaryFolder('sekali-test-'))
  const rules = await readFile(join(folderOfRules, 'alerts.yml'), 'utf8')
  // A minute each would make two of waiting.
  await writeFile(
    join(path, 'alerts.yml'),
    rules.replaceAll(/for: \w+/g, 'for: 1s').replace('seconds) > 60', 'seconds) > 3'),
  )
  const config = (await readFile(join(folderOfRules, 'prometheus-local.yml'), 'utf8'))
    .replaceAll('10s', '1s')
    .replace('../../.sekali/prometheus.json', join(data, 'prometheus.json'))
  expect(config).toContain(data)
  await writeFile(join(path, 'prometheus.yml'), config)
  const port = await freePort()
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(path, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(path, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  )
  const exited = once(child, 'exit')
  parts.defer(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const ask = async (question: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${question}`)
    return (await response.json()) as { status: string; data: Answer }
  }
  return {
    query: async (expr: string) => (await ask(`query?query=${encodeURIComponent(expr)}`)).data.result ?? [],
    firing: async () =>
      ((await ask('alerts')).data.alerts ?? [])
        .filter(({ state }) => state === 'firing')
        .map(({ labels }) => labels.alertname),
  }
}

interface Answer {
  readonly result?: { metric: Record<string, string>; value: [number, string] }[]
  readonly alerts?: { state: string; labels: Record<string, string> }[]
}

const promtool = (args: string[], input = '') =>
  spawnSync('promtool', args, { cwd: folderOfRules, input, encoding: 'utf8' })

test('promtool takes the configurations, and each alert fires when it should and not otherwise', () => {
  for (const file of ['prometheus.yml', 'prometheus-local.yml']) {
    expect(promtool(['check', 'config', file])).toMatchObject({ status: 0 })
  }
  expect(promtool(['test', 'rules', 'alerts.test.yml'])).toMatchObject({ status: 0 })
})

test('promtool finds nothing wrong with what each process says', async () => {
  for (const url of system.metrics) {
    const text = await (await fetch(url)).text()
    const { status, stdout, stderr } = promtool(['check', 'metrics'], text)
    expect({ status, words: stdout + stderr }).toEqual({ status: 0, words: '' })
  }
})

test('docs/guides/metrics.md has each metric that there is, and no other', async () => {
  const texts = await Promise.all(system.metrics.map(async (url) => await (await fetch(url)).text()))
  const names = namesIn(texts.flatMap((text) => text.match(/^# TYPE \w+/gm) ?? []).join('\n'))
  expect([...names].sort()).toEqual([...documentedNames].sort())
})

test('each panel of the dashboard has values', async () => {
  await using broker = await ownBroker(system.started.redis.url)
  await broker.redis.config('SET', 'maxmemory', '500mb') // without a limit there is no share of it
  const dashboard = await readFile(join(folderOfRules, 'grafana/dashboards/sekali.json'), 'utf8')
  const panels = panelsOf(dashboard)
  expect(panels.length).toBeGreaterThan(25)
  await eventually(async () => {
    await system.publish(3) // so that rates are of something
    await system.test()
    const empty = []
    for (const { title, expr } of panels) {
      const found = await prometheus.query(expr.replaceAll('$__rate_interval', '10s'))
      if (!found.some(({ value }) => Number.isFinite(Number(value[1])))) empty.push(`${title}: ${expr}`)
    }
    expect(empty).toEqual([])
  }, 60_000)
})

test('consumers that stand still: the oldest event in flight is what the alert is about, until they go on', async () => {
  const { consumers } = system.started
  await eventually(async () => expect(await prometheus.firing()).toEqual([]), 30_000)
  const signal = (name: NodeJS.Signals) => consumers.map(({ pid }) => process.kill(pid, name))
  signal('SIGSTOP')
  try {
    await system.publish(1)
    await eventually(async () => expect(await prometheus.firing()).toContain('SekaliEventsWait'), 60_000)
  } finally {
    signal('SIGCONT')
  }
  await eventually(async () => expect(await prometheus.firing()).not.toContain('SekaliEventsWait'), 60_000)
})
