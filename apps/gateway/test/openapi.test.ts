import { expect, test } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import { createGateway, nowhere } from './gateway.ts'

test('the description of the API is there without servers, and names the version and every route', async () => {
  await using gateway = createGateway(nowhere)
  const response = await gateway.app.request('/openapi.json')
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('application/json')
  const { openapi, info, paths } = (await response.json()) as Record<string, Record<string, unknown>>
  expect({ openapi, version: info?.version }).toEqual({ openapi: '3.1.0', version: manifest.version })
  expect(Object.keys(paths ?? {})).toEqual(expect.arrayContaining(['/publish', '/events', '/openapi.json']))
})

test('whoever has the description already is not sent it again', async () => {
  await using gateway = createGateway(nowhere)
  const ask = (tag?: string) =>
    gateway.app.request('/openapi.json', tag === undefined ? {} : { headers: { 'If-None-Match': tag } })
  const tag = (await ask()).headers.get('etag') ?? ''
  expect(tag).toMatch(/^"[\w-]{22}"$/)
  for (const known of [tag, `W/${tag}`, `"x", ${tag}`, '*']) expect((await ask(known)).status).toBe(304)
  expect((await ask('"x"')).status).toBe(200)
  // A cache may keep it, but must ask.
  expect((await ask(tag)).headers.get('cache-control')).toBe('no-cache')
})
