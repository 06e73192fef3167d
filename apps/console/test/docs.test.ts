import { createDocument } from '@sekali/api/openapi'
import { expect, test } from 'vitest'
import { curlOf } from '../src/views/docs/curl.ts'
import { codesOf, type OpenApi, type Route, responseOf, routesOf } from '../src/views/docs/document.ts'
import { fieldsOf } from '../src/views/docs/fields.ts'

const document = createDocument('1.2.3') as unknown as OpenApi
const routes = routesOf(document).flatMap(({ routes }) => routes)
const routeOf = (id: string) => routes.find(({ operationId }) => operationId === id) as Route
const base = 'https://host.example/sekali/'

test('every operation of the description is in one of its groups', () => {
  const all = Object.values(document.paths).flatMap((methods) => Object.values(methods))
  expect(routes).toHaveLength(all.length)
})

test('a command has the page’s own origin, a quoted body, and the key from a variable', () => {
  expect(curlOf(routeOf('redrive'), { base, withKey: true })).toBe(
    [
      `curl -s -X POST 'https://host.example/sekali/dead-letters/redrive' \\`,
      `  -H @<(printf 'Authorization: Bearer %s' "$SEKALI_TOKEN") \\`,
      `  -H 'Content-Type: application/json' \\`,
      `  -d '{"filter":{"topic":"orders.>","reason":"23514"},"dry_run":true}'`,
    ].join('\n'),
  )
  expect(curlOf(routeOf('readEvents'), { base, withKey: false })).toBe(
    `curl -s 'https://host.example/sekali/events?topic=orders.*.paid'`,
  )
  expect(curlOf(routeOf('readLetter'), { base, withKey: false })).toContain('/dead-letters/c-7')
})

test('a single quote does not end what is quoted for the shell', () => {
  const route = {
    ...routeOf('readLetter'),
    path: '/{id}',
    parameters: [{ name: 'id', in: 'path', example: "a'b" }],
  }
  expect(curlOf(route as Route, { base, withKey: false })).toBe(`curl -s '${base}a'\\''b'`)
})

test('fields of a body have their names, types, bounds and words', () => {
  const body = routeOf('createKey').requestBody?.content['application/json']?.schema ?? {}
  const fields = fieldsOf(document, body)
  expect(fields.find(({ path }) => path === 'name')).toMatchObject({
    type: 'string, 1 to 128 characters',
    isRequired: true,
    description: 'For people, who see it in lists.',
  })
  expect(fields.find(({ path }) => path === 'source')).toMatchObject({ isRequired: false })
  expect(fields.find(({ path }) => path === 'scopes')?.type).toMatch(/^array of .*"publish"/)
})

test('problems are known by their codes, status by status', () => {
  const answers = Object.entries(routeOf('redrive').responses).map(
    ([status, response]) => [status, codesOf(responseOf(document, response))] as const,
  )
  expect(Object.fromEntries(answers)[409]).toEqual(['count_changed', 'too_many_operations'])
  expect(Object.fromEntries(answers)[401]).toEqual(['unauthorized'])
})
