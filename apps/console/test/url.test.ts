import { expect, test } from 'vitest'
import { matchPath } from '../src/routing/match.ts'
import { linkTo, parseRoute } from '../src/routing/url.ts'

test('a URL keeps any id: what it links to is what is read', () => {
  for (const id of ['a/b', '?x=1', '#', '%', '..', ' ', '\u202e', 'ü', '<img>', '__proto__']) {
    const { segments, query } = parseRoute(linkTo(['events', 'orders.eu', id], { source: id }))
    expect(segments).toEqual(['events', 'orders.eu', id])
    expect(query.get('source')).toBe(id)
  }
})

test('what is empty is not in a URL', () => {
  expect(linkTo([])).toBe('#/')
  expect(linkTo(['search'], { topic: '', source: undefined, live: 'off' })).toBe('#/search?live=off')
})

test('broken escapes are a URL that no view has', () => {
  expect(matchPath('topics/:topic', parseRoute('#/topics/%ff').segments)).toBeUndefined()
})

test('a path matches by its words, and names its parameters', () => {
  expect(matchPath('', [])).toEqual({})
  expect(matchPath('topics/:topic', ['topics', 'a.b'])).toEqual({ topic: 'a.b' })
  expect(matchPath('topics/:topic', ['topics'])).toBeUndefined()
  expect(matchPath('topics/:topic', ['keys', 'a'])).toBeUndefined()
})

test('a parameter of another shape is a URL that no view has', () => {
  const shapes = { id: /^[ec]-\d+$/ }
  expect(matchPath('dead-letters/:id', ['dead-letters', 'e-1'], shapes)).toEqual({ id: 'e-1' })
  for (const id of ['..', '../..', 'e-', 'x-1', 'e-1/..']) {
    expect(matchPath('dead-letters/:id', ['dead-letters', id], shapes)).toBeUndefined()
  }
})
