/** Where webhooks may go, as a table. Nothing is dialled here: connections have tests of their own, in apps/dispatcher. */
import { expect, test } from 'vitest'
import { checkUrl, isAllowed, parseAllow, whyDenied } from '../src/guard.ts'

const none = parseAllow('')

const denied = [
  ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '10.255.255.255', '100.64.0.1', '100.127.255.254', '127.0.0.1'],
  ...['127.255.255.254', '168.63.129.16', '169.254.0.1', '169.254.169.254', '169.254.170.2', '172.16.0.1'],
  ...['172.31.255.255', '192.0.0.1', '192.0.2.1', '192.88.99.1', '192.168.0.1', '198.18.0.1', '198.51.100.1'],
  ...['203.0.113.1', '224.0.0.1', '239.255.255.250', '240.0.0.1', '255.255.255.255'],
  ...[
    '::93.184.216.34',
    '::5db8:d822',
    '::',
    '::1',
    '::127.0.0.1',
    '::a9fe:a9fe',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:a9fe:a9fe',
  ],
  ...[
    '::ffff:0:127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::a00:1',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2001:10::1',
  ],
  ...[
    '2002:7f00:1::',
    '2002:a9fe:a9fe::1',
    '3fff::1',
    '5f00::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fec0::1',
  ],
  ...['ff02::1', 'fe80::1%eth0', '4000::1'],
]

test.each(denied)('%s is denied', (address) => {
  expect(whyDenied(address, none)).toMatch(/^\w+$/)
})

test.each([
  '1.1.1.1',
  '8.8.8.8',
  '93.184.216.34',
  '172.15.255.255',
  '172.32.0.1',
  '168.63.129.17',
  '2606:4700::1111',
])('%s is not', (address) => {
  expect(whyDenied(address, none)).toBeUndefined()
})

test('the table is long enough to mean something', () => {
  expect(new Set(denied).size).toBeGreaterThanOrEqual(36)
})

test('what is allowed is allowed in every form of it, and nothing beside it', () => {
  const allow = parseAllow(' 127.0.0.0/8, ::1 ,10.1.2.3')
  for (const address of ['127.0.0.1', '127.9.9.9', '::ffff:127.0.0.1', '::1', '10.1.2.3']) {
    expect(whyDenied(address, allow)).toBeUndefined()
    expect(isAllowed(address, allow)).toBe(true)
  }
  for (const address of ['10.1.2.4', '::2', '::127.0.0.1', '169.254.169.254']) {
    expect(whyDenied(address, allow)).toBeDefined()
  }
  expect(isAllowed('1.1.1.1', allow)).toBe(false)
  for (const text of ['localhost', '10.0.0.0/33', '10.0.0.0/', '::1/129', '10.0.0.0/-1', 'fe80::1%lo']) {
    expect(() => parseAllow(text)).toThrow(/WEBHOOK_ALLOW must be/)
  }
  expect(() => parseAllow(Array(101).fill('::1').join())).toThrow(/at most 100/)
})

const literals = [
  'http://127.0.0.1/',
  'http://[::1]:80/',
  'http://2130706433/',
  'http://0x7f.1/',
  'http://127.1/',
]
const disguised = [
  'https://0177.0.0.1/',
  'https://[::ffff:7f00:1]/',
  'https://①②⑦.0.0.1/',
  'https://127.0.0.1./',
]

test.each([...literals, ...disguised, 'https://169.254.169.254/latest', 'https://[64:ff9b::a9fe:a9fe]/'])(
  '%s is no endpoint, and the reason says what to do',
  (url) => {
    expect(checkUrl(url, none)?.reason).toContain('WEBHOOK_ALLOW')
  },
)

test.each([
  ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
  ['::ffff:a00:1', '10.0.0.1/32'],
  ['::ffff:127.0.0.1/128', '127.0.0.1/32'],
])('%s would allow nothing, and is refused with how it is written', (part, written) => {
  expect(() => parseAllow(`10.1.2.0/24, ${part}`)).toThrow(`${part} as ${written}`)
})

test.each(['10.0.0.0/33', '10.0.0.0/8/8', '::1/129', '10.0.0.0/', '10.0.0/8', 'fe80::1%eth0/64'])(
  '%s is no network',
  (part) => {
    expect(() => parseAllow(part)).toThrow('WEBHOOK_ALLOW')
  },
)

test('names may be saved, in the clear only where something is allowed', () => {
  expect(checkUrl('https://example.com/hook?a=1', none)).toBeUndefined()
  expect(checkUrl('http://example.com/', none)?.reason).toContain('https://')
  expect(checkUrl('http://receiver:8080/', parseAllow('172.16.0.0/12'))).toBeUndefined()
  expect(checkUrl('http://127.0.0.1:1/', parseAllow('127.0.0.0/8'))).toBeUndefined()
  expect(checkUrl('http://10.0.0.1/', parseAllow('127.0.0.0/8'))?.reason).toContain('WEBHOOK_ALLOW')
  expect(checkUrl('http://1.1.1.1/', parseAllow('127.0.0.0/8'))?.reason).toContain('https://')
})

test.each([
  '',
  'example.com',
  'ftp://example.com/',
  'https://u:p@example.com/',
  'https://u@example.com/',
  'https://x/#a',
])('%s is no endpoint', (url) => {
  expect(checkUrl(url, none)).toBeDefined()
})

test('a URL has a bound', () => {
  expect(checkUrl(`https://example.com/${'a'.repeat(2_048)}`, none)?.reason).toContain('2048')
})
