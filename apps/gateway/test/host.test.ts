/** By which names a gateway may be called, and by which pages. */
import { expect, test } from 'vitest'
import { parseConfig } from '../src/config.ts'
import { createHosts, parseHost } from '../src/http/host.ts'
import { isForeign, isForm, isSafe } from '../src/http/origin.ts'

const isOurs = createHosts(['gateway', 'Events.Example.com.', 'other_one:9090'])
const verdict = (text: string) => {
  const host = parseHost(text)
  return host === undefined ? 'malformed' : isOurs(host) ? 'ours' : 'unknown'
}

test.each([
  '127.0.0.1',
  '127.0.0.1:8080',
  '192.168.1.20:80', // an address cannot be rebound
  '[::1]',
  '[::1]:8080',
  '[2001:DB8::7]:1',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]:8080',
  'localhost',
  'LOCALHOST:8080',
  'localhost.',
  'localhost.:8080',
  'localhost:',
  'sekali.localhost',
  'a.b.localhost.:1',
  'gateway',
  'Gateway:8080',
  'gateway.',
  'events.example.com:443',
  'EVENTS.EXAMPLE.COM.',
  'other_one', // a port in HOSTS says nothing: what is rebound is a name
])('%s is ours', (text) => {
  expect(verdict(text)).toBe('ours')
})

test.each([
  'evil.example',
  'evil.example:8080',
  'gateway.evil.example',
  'mygateway',
  'example.com',
  'localhost.evil.example',
  'notlocalhost',
  '127.0.0.1.evil.example',
  '127.1',
  '2130706433',
  '0x7f.0.0.1',
  '127.0.0.1.',
])('%s is not', (text) => {
  expect(verdict(text)).toBe('unknown')
})

test.each([
  '',
  ' ',
  ':8080',
  '.',
  '..',
  '.localhost',
  'localhost..',
  'a..b',
  '127.0.0.1@evil',
  'evil@127.0.0.1',
  'localhost:8080:9',
  'localhost:99999',
  'localhost:8080x',
  'localhost:-1',
  'localhost:0x50',
  '[::1',
  '::1',
  '::1]',
  '[]',
  '[::1]x',
  '[localhost]',
  '[127.0.0.1]',
  '[fe80::1%25eth0]',
  '[v1.x]',
  '[[::1]]',
  'localhost/',
  'localhost/../x',
  'localhost?x',
  'localhost#',
  'localhost, evil',
  'a b',
  '%6cocalhost',
  'löcalhost',
  'localhost\\',
  `${'a.'.repeat(128)}localhost`,
])('%j is no host', (text) => {
  expect(verdict(text)).toBe('malformed')
})

test('HOSTS is a list of names, and the name it listens on is one more', () => {
  const env = { REDIS_URL: 'redis://a', DATABASE_URL: 'postgres://a', SEKALI_AUTH: 'keys' }
  const hostsOf = (more: NodeJS.ProcessEnv) => parseConfig({ ...env, ...more }).hosts
  expect(hostsOf({})).toEqual(['127.0.0.1'])
  expect(hostsOf({ HOSTS: ' gateway, ,events.example.com,', HOST: 'here.lan' })).toEqual([
    'gateway',
    'events.example.com',
    'here.lan',
  ])
  expect(createHosts(hostsOf({ HOST: '::' }))({ name: 'evil.example', isAddress: false })).toBe(false)
  for (const HOSTS of ['http://gateway', '*', 'a b', 'gateway;other', 'bücher.example']) {
    expect(() => hostsOf({ HOSTS })).toThrow('HOSTS: must be names')
  }
})

const foreign = (host: string, origin?: string, site?: string) =>
  isForeign({ headers: { host, origin, 'sec-fetch-site': site } })

test.each([
  ['localhost:8080', undefined, undefined], // curl, the SDK, the CLI
  ['localhost:8080', 'http://localhost:8080', 'same-origin'],
  ['localhost:8080', 'http://LOCALHOST:8080', undefined],
  ['events.example.com', 'http://events.example.com', undefined],
  ['events.example.com', 'https://events.example.com', 'same-origin'], // a proxy has the certificate
  ['events.example.com:443', 'https://events.example.com', undefined],
  ['events.example.com:80', 'http://events.example.com', undefined],
  ['[::1]:8080', 'http://[::1]:8080', undefined],
  ['[0:0::1]:8080', 'http://[::1]:8080', undefined],
  ['localhost:8080', undefined, 'none'],
])('to %s from %s (%s) is ours', (host, origin, site) => {
  expect(foreign(host, origin, site)).toBe(false)
})

test.each([
  ['localhost:8080', 'null', undefined],
  ['localhost:8080', '', undefined],
  ['localhost:8080', 'https://evil.example', undefined],
  ['localhost:8080', 'http://localhost', undefined],
  ['localhost:8080', 'http://localhost:3000', undefined],
  ['localhost:8080', 'http://127.0.0.1:8080', undefined],
  ['localhost:8080', 'http://localhost:8080.evil.example', undefined],
  ['localhost:8080', 'http://localhost:8080@evil.example', undefined],
  ['localhost:8080', 'http://localhost:8080/', undefined],
  ['localhost:8080', 'http://localhost:8080, https://evil.example', undefined], // twice
  ['localhost:8080', 'localhost:8080', undefined],
  ['localhost:8080', 'file://', undefined],
  ['localhost:8080', 'chrome-extension://localhost:8080', undefined],
  ['events.example.com:443', 'http://events.example.com', undefined],
  ['localhost:8080', undefined, 'cross-site'],
  ['localhost:8080', undefined, 'same-site'],
  ['localhost:8080', undefined, 'same-origin, cross-site'], // twice
  ['localhost:8080', undefined, ''],
  ['localhost:8080', 'http://localhost:8080', 'cross-site'],
])('to %s from %s (%s) is foreign', (host, origin, site) => {
  expect(foreign(host, origin, site)).toBe(true)
})

test.each([
  ['application/x-www-form-urlencoded', true],
  ['Application/X-WWW-Form-Urlencoded; charset=utf-8', true],
  ['multipart/form-data; boundary=x', true],
  ['text/plain', true],
  [' text/plain ;a', true],
  ['text/plain, application/json', true],
  ['application/json', false],
  ['application/json; x="text/plain"', false],
  ['application/x-ndjson', false],
  [undefined, false],
])('a body of type %s can come from a form: %s', (type, expected) => {
  expect(isForm({ headers: { 'content-type': type } })).toBe(expected)
})

test('what reads is safe, and every other method is not', () => {
  expect(['GET', 'HEAD', 'OPTIONS', 'TRACE'].every(isSafe)).toBe(true)
  expect(['POST', 'PUT', 'PATCH', 'DELETE', 'PROPPATCH', '', undefined].some(isSafe)).toBe(false)
})
