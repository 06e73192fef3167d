/** What alerts and dashboard ask for is what there is. Whether it has values, a test in test-more asks a Prometheus. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { documentedNames, namesIn, panelsOf } from './names.ts'

const read = (path: string) => readFile(fileURLToPath(new URL(path, import.meta.url)), 'utf8')

test('alerts ask for metrics that docs/guides/metrics.md has', async () => {
  const names = namesIn(await read('../alerts.yml'))
  expect(names.size).toBeGreaterThan(10)
  expect([...names].filter((name) => !documentedNames.has(name))).toEqual([])
})

test('the dashboard asks for metrics that docs/guides/metrics.md has, and for each of the system’s and processes’', async () => {
  const panels = panelsOf(await read('../grafana/dashboards/sekali.json'))
  const names = namesIn(panels.map(({ expr }) => expr).join('\n'))
  expect([...names].filter((name) => !documentedNames.has(name))).toEqual([])
  // The rest says the same in another way, or is for alerts.
  const left = [...documentedNames].filter((name) => !names.has(name)).sort()
  expect(left).toEqual([
    'sekali_postgres_pool_connections',
    'sekali_postgres_reachable',
    'sekali_projection_failed',
    'sekali_projection_turn_duration_seconds',
    'sekali_published_events_total',
    'sekali_redis_last_write_ok',
    'sekali_redis_reachable',
    // Where there is a standby.
    'sekali_standby_lag_bytes',
    'sekali_standby_lag_seconds',
    'sekali_standby_used',
  ])
})

test('each alert has a case in which it fires, and one in which it is silent', async () => {
  const alerts = [...(await read('../alerts.yml')).matchAll(/- alert: (\w+)/g)].map(([, name]) => name)
  const cases = [...(await read('../alerts.test.yml')).matchAll(/- name: (.+)/g)].map(([, name]) => name)
  expect(alerts.length).toBeGreaterThan(10)
  expect(cases).toEqual(alerts.flatMap((name) => [`${name} fires`, `${name} is silent`]))
})
