/** What the types cannot hold of the table of routes. */
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { problems } from '../src/problems.ts'
import { problemsOf } from '../src/problems-of.ts'
import type { Parameters, RouteSpec } from '../src/route.ts'
import { routes } from '../src/routes.ts'

const all: readonly RouteSpec[] = routes

/** What a row lacks, in words. */
function gapsOf({ id, path, scope, summary, description, request, answers }: RouteSpec): string[] {
  const parameters = [request.path, request.query, request.headers].flatMap((one) =>
    Object.entries(one ?? {}),
  )
  const named = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name)
  const success = answers.filter(({ status }) => status < 300)
  return [
    ...(/^[a-z][A-Za-z]+$/.test(id) ? [] : ['an id in camelCase']),
    ...(['publish', 'read', 'work', 'admin', 'any', 'none'].includes(scope) ? [] : ['a scope']),
    ...(/^[A-Z].*[^.]$/.test(summary) ? [] : ['a summary without a full stop']),
    ...(/^[A-Z`].*\.$/.test(description) ? [] : ['a description in sentences']),
    ...(isSame(named, Object.keys(request.path ?? {})) ? [] : ['a schema for each segment of its path']),
    ...(success.some((answer) => 'schema' in answer) ? [] : ['an answer with a schema']),
    ...parameters
      .filter(([, { description: text }]) => !text.endsWith('.'))
      .map(([name]) => `words for ${name}`),
    ...parameters
      .filter(([, { schema, example }]) => !v.is(schema, example))
      .map(([name]) => `an example of ${name}`),
    ...(request.bodies ?? [])
      .filter(({ schema, example }) => !v.is(schema, example))
      .map(() => 'a body that is one'),
    ...answers
      .filter((answer) => 'schema' in answer && !v.is(answer.schema, answer.example))
      .map(({ status }) => `an answer ${status} that is one`),
  ]
}

const isSame = (one: readonly unknown[], other: readonly unknown[]) => one.join() === other.join()

test('every route has a scope, words, schemas, answers, and examples that fit', () => {
  expect(all.length).toBeGreaterThan(15)
  expect(all.flatMap((route) => gapsOf(route).map((gap) => `${route.id} lacks ${gap}`))).toEqual([])
})

const sound = all.find(({ id }) => id === 'readProjectionKey') as RouteSpec
const { path: segments = {}, query = {} } = sound.request
const misspelt: Parameters = { ...query, as_of: { ...(query.as_of as Parameters[string]), example: 'maybe' } }

test.each<[gap: string, change: object]>([
  ['an id in camelCase', { id: 'read-it' }],
  ['a scope', { scope: undefined }],
  ['a summary without a full stop', { summary: 'Read it.' }],
  ['a description in sentences', { description: '' }],
  ['a schema for each segment of its path', { request: { ...sound.request, path: {} } }],
  ['an answer with a schema', { answers: [{ status: 200, description: 'It.' }] }],
  ['an example of as_of', { request: { path: segments, query: misspelt } }],
  ['an answer 200 that is one', { answers: [{ ...sound.answers[0], example: {} }] }],
])('a route without %s would be found', (gap, change) => {
  expect(gapsOf({ ...sound, ...change })).toEqual([gap])
})

test('no two routes have one id, or one method and path', () => {
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
  expect(new Set(all.map(({ method, path }) => `${method} ${path.replace(/:\w+/g, ':')}`)).size).toBe(
    all.length,
  )
})

test('every code of a problem is one that some request can get', () => {
  const elsewhere = ['not_found', 'method_not_allowed'] as const
  const given = all.flatMap((route) =>
    problemsOf(route).map((one) => (typeof one === 'string' ? one : one.code)),
  )
  expect([...new Set([...given, ...elsewhere])].sort()).toEqual(Object.keys(problems).sort())
})

test('what is said twice is refused twice: a query is described by the schemas that parse it', () => {
  const { limit } = all.find(({ id }) => id === 'readStats')?.request.query ?? {}
  expect(limit && v.safeParse(limit.schema, '0').success).toBe(false)
})
