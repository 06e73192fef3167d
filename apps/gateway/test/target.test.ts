/** What a request target may look like, so that a proxy in front and the gateway read the same. */
import { expect, test } from 'vitest'
import { parseTarget } from '../src/http/target.ts'

const words = new Set(['events', 'projections', 'publish', 'rebuild'])
const parse = (target: string, method = 'POST') => parseTarget(method, target, 'LocalHost:8080', words)

test.each([
  '/',
  '/publish',
  '/publish?x=../%2e%2e/\\',
  '/publish/',
  '/PUBLISH',
  '/publish;a=b',
  '/publish:x',
  '/.well-known/security.txt',
  '/a/..;/publish',
  '/a/.../publish',
  '/events?topic=orders.>&a="<^`{|}',
  '/events/orders.eu-1_x/a~b',
  '/events/orders%2Eeu%2D1%5Fx/id', // what an encoder does that spares no punctuation
  '/events/not%20a%20topic/id',
  '/events/orders/a|b^c[d]{e}"<>`',
  '/projections/x/rebuild',
  '/projections/x/a/b',
])('%s is taken as it is', (target) => {
  expect(parse(target)).toBe(target)
})

// No route hangs on what an id or a key says, so it may say and encode everything, but for the two below.
const quote = (id: string) =>
  [...Buffer.from(id)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
const strict = (id: string) =>
  encodeURIComponent(id).replace(/[!'()*~\-._]/g, (mark) => `%${mark.charCodeAt(0).toString(16)}`)
test.each([
  'a/b é?%',
  '../../publish',
  '/publish',
  '//',
  '...',
  '.a',
  '..;',
  'a\\..\\b',
  '%2e%2e',
  '100%',
  "!'()*~-._",
  '🙂',
  'a\tb\nc',
  'a#b',
  'null\0',
])('the id %j is taken however it is encoded', (id) => {
  for (const encode of [encodeURIComponent, strict, quote]) {
    expect(parse(`/events/orders/${encode(id)}`)).toBe(`/events/orders/${encode(id)}`)
    expect(parse(`/projections/totals/${encode(id)}`)).toBe(`/projections/totals/${encode(id)}`)
  }
})

// URLSearchParams would make U+FFFD of it, and so one id of two.
test.each(['/events?event_id=%FF', '/events?topic=a&source=%c3', '/events?limit=10%', '/tail?%zz=1'])(
  '%s is refused: its query is not UTF-8',
  (target) => {
    expect(parse(target, 'GET')).toBeUndefined()
  },
)

test.each(['/events?event_id=%F0%9F%99%82+%25', '/events?source=a+b&event_id=%ef%bf%bd'])(
  '%s is taken',
  (target) => {
    expect(parse(target, 'GET')).toBe(target)
  },
)

// As in a query: it would be another id than was meant, or none.
test.each([
  '/events/orders/%zz',
  '/events/orders/100%',
  '/events/orders/a%ff',
  '/events/orders/%c3',
  '/projections/totals/%ff',
  '/projections/totals/a/%ed%a0%80',
])('%s is refused: its path is not UTF-8', (target) => {
  expect(parse(target)).toBeUndefined()
})

test.each([
  // dot segments, however they are written
  '/.',
  '/..',
  '/a/../publish',
  '/a/./publish',
  '/publish/.',
  '/publish/..?x',
  '/events/%2e%2e/publish',
  '/events/%2E%2e/publish',
  '/events/.%2e/publish',
  '/events/%2E',
  '/events/orders/..',
  '/events/orders/%2e%2E',
  '/projections/x/a/%2e%2e/b',
  // words of routes in disguise
  '/%70ublish',
  '/publis%68',
  '/p%75blish?x',
  '/publish%00',
  '/publish%2f',
  '/publish%20',
  '/publish%',
  '/publish%zz',
  '/%',
  '/caf%C3%A9',
  '/projections/x/%72ebuild',
  '/projections/x/rebuil%64',
  '/projections/x/%72%65%62%75%69%6c%64',
  // names of topics and projections in disguise
  '/events/%6frders/id',
  '/events/order%73/id',
  '/events/%6Frders',
  '/events/orders%31',
  '/events/orders%5A/id',
  '/events/..%2fpublish',
  '/events/orders%2Fid',
  '/events/..%5cpublish',
  '/events/orders%00',
  '/events/%zz/id',
  '/events/%c0%ae%c0%ae/id',
  '/projections/x%2frebuild',
  // segments that some servers drop, or take for the end
  '//publish',
  '//',
  '//evil/publish',
  '/events//id',
  '/events/orders//',
  '/\\publish',
  '/events\\..\\publish',
  '/publish\\',
  '/publish#x',
  '/healthz?#/../publish',
])('%s is refused', (target) => {
  expect(parse(target)).toBeUndefined()
})

test.each([
  ['http://localhost:8080/publish', '/publish'],
  ['HTTP://LOCALHOST:8080/publish?x', '/publish?x'],
  ['http://localhost:8080', '/'],
  ['http://localhost:8080?x', '/?x'],
])('of %s the path counts, because the authority is that of Host', (target, path) => {
  expect(parse(target)).toBe(path)
})

test.each([
  'http://evil/publish',
  'http://localhost/publish', // another port
  'http://u:p@localhost:8080/publish',
  'http://localhost:8080@evil/publish',
  'http://localhost:8080//publish',
  'http://localhost:8080/../publish',
  'http://localhost:8080#',
  'http:///publish',
  'http:/publish',
  'https://localhost:8080/publish',
  'ftp://localhost:8080/publish',
  'localhost:8080',
  'publish',
  '',
])('%s is refused', (target) => {
  expect(parse(target)).toBeUndefined()
})

test('an absolute target without Host is refused', () => {
  expect(parseTarget('GET', 'http://localhost/healthz', undefined, words)).toBeUndefined()
})

test('a star is about the whole server, and OPTIONS alone is', () => {
  expect(parse('*', 'OPTIONS')).toBe('/')
  expect(parse('*', 'GET')).toBeUndefined()
  expect(parse('*x', 'OPTIONS')).toBeUndefined()
})

test('a long target costs no more than its length', () => {
  const started = performance.now()
  parse(`/${'a/'.repeat(8_000)}%`)
  parse(`/${'%2e'.repeat(5_000)}/`)
  parse(`/${'a.'.repeat(8_000)}#`)
  expect(performance.now() - started).toBeLessThan(200)
})
