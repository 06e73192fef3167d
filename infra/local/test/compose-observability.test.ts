// What docker-compose.yml says of metrics and traces.
import { expect, test } from 'vitest'
import { compose } from './compose.ts'

const services = Object.entries(compose.services)

test('traces go where the environment says, from whoever makes them', () => {
  for (const name of ['gateway', 'consumer']) {
    expect(compose.services[name]?.environment, name).toMatchObject({
      OTEL_EXPORTER_OTLP_ENDPOINT: `\${OTEL_EXPORTER_OTLP_ENDPOINT:-}`,
      OTEL_TRACES_SAMPLER_ARG: `\${OTEL_TRACES_SAMPLER_ARG:-0.01}`,
    })
  }
})

test('metrics ask for no key, so no service publishes them, and Prometheus and Grafana are for this machine alone', () => {
  const served = services.filter(([, { environment }]) => environment?.METRICS_PORT !== undefined)
  expect(served.map(([name]) => name)).toEqual(['gateway', 'consumer', 'projector', 'dispatcher'])
  for (const [name, { ports = [], environment }] of served) {
    expect(ports, name).toEqual([])
    expect(environment?.METRICS_PORT).toBe(9464)
  }
  for (const name of ['prometheus', 'grafana']) {
    expect(compose.services[name]?.ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:/)])
  }
})
