import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { InvalidConfig, StoreUnavailable } from '@sekali/core/errors'
import { expect, test } from 'vitest'
import { createMetrics } from '../src/metrics/metrics.ts'
import { serveMetrics } from '../src/metrics/serve.ts'
import { addTurnMetrics } from '../src/metrics/turns.ts'
import { createLog } from '../src/start/log.ts'

const log = createLog('test', 'silent')
const anyPort = { host: '127.0.0.1', port: 0 }

test('what is unknown has no sample, and what is known has one, 0 included', async () => {
  const { read, scrape } = createMetrics()
  let memory: number | undefined = 5
  let topics: { labels: Record<string, string>; value: number | null }[] = [
    { labels: { topic: 'a' }, value: 0 },
    { labels: { topic: 'b' }, value: null },
  ]
  read('gauge', ['memory_bytes', 'Memory.'], () => memory)
  read('counter', ['seen_total', 'Seen.'], () => memory)
  read('gauge', ['topic_events', 'Events.'], () => topics, ['topic'])
  expect(await scrape()).toMatch(/^memory_bytes 5$[\s\S]*^seen_total 5$[\s\S]*^topic_events\{topic="a"\} 0$/m)
  memory = undefined
  topics = [{ labels: { topic: 'c' }, value: 1 }]
  const samples = (await scrape()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  expect(samples).toEqual(['topic_events{topic="c"} 1'])
})

test('all values of a label are there before anything has happened', async () => {
  const { counter, histogramBy, scrape } = createMetrics()
  const label = { name: 'cause', values: ['a', 'b'] } as const
  const onCause = counter(['faults_total', 'Faults.'], label)
  histogramBy(['seconds', 'Seconds.'], [1, 2], label)('b', 1.5)
  onCause('b')
  onCause('b')
  const text = await scrape()
  expect(text).toMatch(/^faults_total\{cause="a"\} 0\nfaults_total\{cause="b"\} 2$/m)
  expect(text).toMatch(/^seconds_count\{cause="a"\} 0$/m)
  expect(text).toMatch(/^seconds_bucket\{le="2",cause="b"\} 1$/m)
})

test('figures are read after what they come from, once for all who ask meanwhile', async () => {
  const { read, beforeScrape, scrape } = createMetrics()
  let readings = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  beforeScrape(async () => {
    await promise
    readings += 1
  })
  read('gauge', ['readings', 'Readings.'], () => readings)
  const both = [scrape(), scrape()]
  resolve()
  expect(await Promise.all(both)).toEqual([
    expect.stringContaining('readings 1'),
    expect.stringContaining('readings 1'),
  ])
  expect(await scrape()).toContain('readings 2')
})

test('a turn that failed counts under the cause that is at the bottom of its error', async () => {
  const metrics = createMetrics()
  const named = (name: string) => [name, 'Help.'] as const
  const names = { seconds: named('s'), events: named('e'), failures: named('failures_total') }
  const { onFailure } = addTurnMetrics(metrics, names)
  const away = new StoreUnavailable('commit failed', { cause: new Error('57P01') })
  onFailure(new Error('turn failed', { cause: away }))
  onFailure(new Error('something else'))
  const text = await metrics.scrape()
  expect(text).toContain('failures_total{cause="store_unavailable"} 1')
  expect(text).toContain('failures_total{cause="other"} 1')
})

test('a process serves what it counts and what it is, and nothing else', async () => {
  const metrics = createMetrics()
  metrics.read('gauge', ['answer', 'The answer.'], () => 42)
  await using served = await serveMetrics('gateway', metrics, anyPort, log)
  const response = await fetch(served.url)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const text = await response.text()
  expect(text).toMatch(/^answer 42$/m)
  expect(text).toMatch(/^sekali_build_info\{app="gateway",version="[\d.]+",node="v24[\d.]+"\} 1$/m)
  for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_open_fds']) {
    expect(text).toMatch(new RegExp(`^${name} [\\d.]*[1-9]`, 'm'))
  }
  expect(text).toMatch(/^nodejs_eventloop_delay_p99_seconds [\d.e-]+$/m)
  expect((await fetch(new URL('/', served.url))).status).toBe(404)
  const posted = await fetch(served.url, { method: 'POST', body: 'x' })
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
})

test('an event loop that was held up reports it', async () => {
  const metrics = createMetrics()
  await using served = await serveMetrics('gateway', metrics, anyPort, log)
  const delay = async () =>
    Number(/_delay_p99_seconds ([\d.e-]+)$/m.exec(await (await fetch(served.url)).text())?.[1])
  const held = async (heldMs: number) => {
    const until = performance.now() + heldMs
    while (performance.now() < until);
    return await delay()
  }
  expect(await delay()).toBe(0)
  // The first look only begins to measure.
  await expect.poll(() => held(600), { timeout: 10_000 }).toBeGreaterThan(0.3)
})

test('a port that is taken ends the process with words that name the variables', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  const { port } = other.address() as AddressInfo
  try {
    const serving = serveMetrics('gateway', createMetrics(), { host: '127.0.0.1', port }, log)
    const refused = await serving.catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(InvalidConfig)
    expect(String(refused)).toContain(`METRICS_HOST and METRICS_PORT: 127.0.0.1:${port} is taken`)
  } finally {
    other.close()
  }
})
