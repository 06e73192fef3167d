import { expect, test } from 'vitest'
import { urlsOfHosts } from '../src/trouble/hosts.ts'
import { triedAt } from '../src/trouble/tried.ts'

test('a URL with several hosts is one for each, with all that the others have', () => {
  expect(urlsOfHosts('postgres://u:p%2C@h1:5432,h2,[::1]:7/db?sslmode=require')).toEqual([
    'postgres://u:p%2C@h1:5432/db?sslmode=require',
    'postgres://u:p%2C@h2/db?sslmode=require',
    'postgres://u:p%2C@[::1]:7/db?sslmode=require',
  ])
  expect(urlsOfHosts('postgres://u:p,q@h1/db')).toEqual(['postgres://u:p,q@h1/db'])
  expect(urlsOfHosts('postgres:///db')).toEqual(['postgres:///db'])
})

test.each([
  ['nothing', ''],
  ['no URL', 'hello'],
  ['a host that is none', 'postgres://u:p@h1,/db'],
  ['a port that is none', 'postgres://u:p@h1:1,h2:x/db'],
  ['too many hosts', `postgres://u:p@${Array.from({ length: 9 }, (_, index) => `h${index}`).join(',')}/db`],
])('%s is no such URL', (_, text) => {
  expect(urlsOfHosts(text)).toBeUndefined()
  expect(triedAt(text)).toBe('')
})

test('what was tried names each host, and what was the matter there, never the password', () => {
  const url = 'postgres://sekali:secret@h1:1,h2/db?sslpassword=secret'
  expect(triedAt(url)).toBe('Tried user sekali, database db, at h1:1, h2:5432')
  expect(triedAt(url, ['ECONNREFUSED', undefined])).toBe(
    'Tried user sekali, database db, at h1:1 (ECONNREFUSED), h2:5432',
  )
})
