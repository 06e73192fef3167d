import { spawnSync } from 'node:child_process'
import { ownCollector } from '@sekali/testkit/collector'
import { expect, test } from 'vitest'
import { startTracing } from '../src/traces/start.ts'
import { parseTraceparent } from '../src/traces/traceparent.ts'

const traceparentOf = (n: number) => `00-${String(n).padStart(32, '0')}-${'1'.repeat(16)}-01`

test('of more than 128 links a span keeps 128, and says how many it has left out', async () => {
  await using collector = await ownCollector()
  {
    await using tracing = await startTracing('consumer', { endpoint: `${collector.url}/`, ratio: 0 })
    const traceparents = Array.from({ length: 140 }, (_, n) => traceparentOf(n + 1))
    tracing?.recordTurn({ topic: 'orders', events: 140, startedAt: Date.now(), traceparents })
  }
  expect(collector.spans).toHaveLength(1) // what ends sends what it has
  const [span] = collector.spans
  expect(span?.links).toHaveLength(128)
  expect(span).toMatchObject({ name: 'process orders', droppedLinksCount: 12 })
})

test('a collector that is away holds up nothing', async () => {
  const tracing = await startTracing('gateway', { endpoint: 'http://127.0.0.1:1', ratio: 1 })
  const span = tracing?.beginPublish(undefined)
  expect(span?.traceparent).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-01$/)
  span?.end({ events: 1, requestId: 'r', status: 200 })
  await tracing?.[Symbol.asyncDispose]()
})

test.each([
  ['another version with more behind it', `cc-${'a'.repeat(32)}-${'b'.repeat(16)}-03-more`, true],
  ['not sampled', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-02`, false],
  ['capital letters', `00-${'A'.repeat(32)}-${'b'.repeat(16)}-01`, undefined],
  ['version ff', `ff-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, undefined],
  ['no trace id', `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`, undefined],
  ['none', undefined, undefined],
])('traceparent, %s', (_, text, isSampled) => {
  expect(parseTraceparent(text)?.isSampled).toBe(isSampled)
})

test('OpenTelemetry is loaded only where there is a collector', () => {
  const lines = (endpoint: string) => `
    import { registerHooks } from 'node:module'
    registerHooks({ resolve(name, context, next) {
      if (name.startsWith('@opentelemetry/')) console.log(name)
      return next(name, context)
    } })
    const { startTracing } = await import('../src/traces/start.ts')
    await import('../src/metrics/metrics.ts')
    const tracing = await startTracing('gateway', { endpoint: ${endpoint}, ratio: 0 })
    await tracing?.[Symbol.asyncDispose]()`
  const run = (endpoint: string) => {
    const args = ['--input-type=module', '-e', lines(endpoint)]
    const { stdout, status } = spawnSync(process.execPath, args, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
    })
    expect(status).toBe(0)
    return stdout
  }
  expect(run('undefined')).toBe('')
  expect(run("'http://127.0.0.1:1'")).toContain('@opentelemetry/sdk-trace')
})
