/** A key that is sent in every way, good and broken, is in nothing that comes out: no answer, no log, no metric, no trace, no report of a crash. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@sekali/servers/free-port'
import { revokeKey } from '@sekali/store/change-keys'
import { startGateway } from '@sekali/testkit/app'
import { ownCollector } from '@sekali/testkit/collector'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { exchange } from './exchange.ts'
import { eventBody, post } from './gateway.ts'
import { bearer, ownKeys } from './own-keys.ts'
import { fromOwnPage, logIn } from './own-session.ts'
import { retyped } from './retyped.ts'
import { openTail } from './sse.ts'

/** What of a key is secret: all behind its id. */
const secretOf = (text: string): string => text.split('_')[2] ?? text

test('a planted key is found nowhere', async () => {
  await using own = await ownKeys()
  const reports = await mkdtemp(join(tmpdir(), 'reports-'))
  await using collector = await ownCollector()
  const metricsPort = String(await freePort())
  await using gateway = await startGateway({
    ...own.env,
    SEKALI_AUTH: 'keys',
    LOG_LEVEL: 'trace',
    METRICS_PORT: metricsPort,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_TRACES_SAMPLER_ARG: '1',
    NODE_OPTIONS: `--report-on-signal --report-signal=SIGUSR2 --report-directory=${reports}`,
  })
  const { key, text } = await own.make()
  const reader = await own.make({ scopes: ['read'] })
  const wrong = retyped(text, -1)
  const answers: string[] = []
  const ask = async (path: string, headers: Record<string, string>, init: RequestInit = {}) => {
    const response = await fetch(`${gateway.url}${path}`, {
      ...init,
      headers: { ...init.headers, ...headers },
    })
    answers.push(JSON.stringify([...response.headers]), await response.text())
  }
  const raw = async (bytes: string) => answers.push(await exchange(gateway.url, bytes))

  // A session is as good as its key. Its cookie is in the answer that sets it, for its browser, and in no other.
  const cookie = await logIn(gateway.url, text)
  for (const shown of [cookie, `${cookie}x`, cookie.replace('=', '=x')]) {
    for (const path of ['/stats', '/session', '/doctor', '/nothing', `/events?topic=${shown}`]) {
      await ask(path, { Cookie: shown })
    }
    await ask('/publish', { Cookie: shown, ...fromOwnPage }, post(eventBody()))
    await ask('/publish', { Cookie: shown }, post(eventBody()))
    await ask('/keys', { Cookie: shown, ...fromOwnPage }, post('{}'))
    await raw(`GET /stats HTTP/1.1\r\nHost: localhost\r\nCookie: ${shown}\r\nCookie : ${shown}\r\n\r\n`)
  }
  for (const shown of [text, wrong, text.slice(0, -3), `${text}x`, text.replaceAll('_', '-')]) {
    for (const path of ['/stats', '/doctor', '/events', '/projections', '/nothing', '/readyz?verbose']) {
      await ask(path, bearer(shown))
    }
    await ask('/publish', bearer(shown), post(eventBody()))
    await ask('/publish', bearer(shown), post('{'))
    await ask(`/events/a/${shown}`, bearer(text))
    await ask(`/events?topic=${shown}&access_token=${shown}`, bearer(text))
    await ask(`/keys/${shown}`, bearer(reader.text), { method: 'DELETE' })
    await ask(`/topics/${shown}`, bearer(reader.text), { method: 'DELETE' })
    await ask('/keys', bearer(text), {
      ...post(JSON.stringify({ name: shown, scopes: ['read'], topics: [shown] })),
    })
    await ask('/stats', { Authorization: `Basic ${shown}` })
    await ask('/stats', { Authorization: shown, 'X-Api-Key': shown })
    const head = `Host: localhost\r\nAuthorization: Bearer ${shown}\r\n`
    await raw(`GET /stats HTTP/1.1\r\n${head}Authorization: Bearer ${shown}\r\nConnection: close\r\n\r\n`)
    await raw(`GET /stats HTTP/1.1\r\n${head}Authorization : Bearer ${shown}\r\n\r\n`)
    await raw(`GET /${shown} HTTP/9.9\r\n${head}\r\n`)
    await raw(`${shown}\r\n\r\n`)
    await raw(`POST /publish HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: x\r\n\r\n`)
  }
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  for (const status of [200, 401]) {
    expect(metrics).toMatch(new RegExp(`^sekali_http_responses_total\\{status="${status}"\\} [1-9]`, 'm'))
  }
  using tail = openTail(gateway.url, 'topic=a', bearer(text))
  await tail.answered
  const lines = { ...bearer(text), 'Content-Type': 'application/x-ndjson' }
  const stream = request(`${gateway.url}/publish`, { method: 'POST', headers: lines })
  stream.on('error', () => undefined).write(`${eventBody()}\n`)
  gateway.signal('SIGUSR2')
  const reported = await eventually(async () => {
    const [file] = await readdir(reports)
    const report = await readFile(join(reports, String(file)), 'utf8')
    expect(JSON.parse(report).header.trigger).toBe('Signal')
    return report
  })
  await own.withoutPostgres(async () => await ask('/stats', bearer(retyped(text, 0))))
  await revokeKey(own.store, key.id, { actor: 'test' })
  await tail.over
  gateway.signal('SIGTERM')
  stream.destroy()
  await gateway.exited
  await rm(reports, { recursive: true })
  const { rows } = await own.store.pool.query(
    `SELECT k::text AS row FROM access.keys k UNION ALL SELECT e::text FROM audit.entries e`,
  )
  const stored = JSON.stringify(rows)
  expect(stored).toContain('DELETE /keys/:id')

  expect(answers.length).toBeGreaterThan(100)
  expect(answers.join()).toContain('copy it again')
  expect(gateway.output()).toContain('listening')
  expect(collector.spans.length).toBeGreaterThan(0)
  const traces = JSON.stringify(collector.spans)
  const everything = [...answers, tail.text, gateway.output(), reported, metrics, traces, stored].join('\n')
  for (const shown of [text, wrong]) expect(everything.includes(secretOf(shown))).toBe(false)
  const [, , , signature = ''] = cookie.split('.')
  expect(signature).toHaveLength(43)
  expect(everything.includes(signature)).toBe(false)
})
