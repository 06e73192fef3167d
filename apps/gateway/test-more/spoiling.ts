/** What can be wrong with a request. */
import fc, { type Arbitrary } from 'fast-check'

/** A request in parts, so that each can be spoiled. */
export interface Parts {
  readonly method: string
  readonly segments: readonly string[]
  readonly query: readonly (readonly [name: string, value: string])[]
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

type Change = (parts: Parts) => Parts

const odd = fc.constantFrom(
  ...[
    '',
    '.',
    '..',
    '%',
    '%zz',
    '%ff',
    '%00',
    '%2F',
    '%5c',
    '%2e%2e',
    '%ED%A0%80',
    '*',
    '>',
    'a.>',
    '-1',
    '1e9',
    'NaN',
  ],
  ...[
    'null',
    'true',
    '0',
    '9007199254740993',
    '__proto__',
    'constructor',
    '[object%20Object]',
    '%F0%9F%A6%8A',
    'x'.repeat(5_000),
  ],
)
const at = <T>(all: readonly T[], index: number, change: (one: T) => T): readonly T[] =>
  all.map((one, place) => (place === index % all.length ? change(one) : one))

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'] as const
const types = [
  'text/plain',
  'application/json; charset=latin1',
  'application/xml',
  'a',
  '',
  'application/cloudevents+json',
]
const headers: Readonly<Record<string, readonly string[]>> = {
  'Content-Type': types,
  'Content-Encoding': ['gzip', 'identity', 'br, identity'],
  Accept: [
    'text/html',
    '*/*;q=0',
    'application/json;q=x',
    ',,,',
    'application/x-ndjson;q=0.5, application/json;q=0.4',
  ],
  'Accept-Encoding': ['gzip', 'gzip;q=0', '*;q=0'],
  Prefer: [
    'wait=0',
    'wait=1',
    'handling=lenient',
    'handling=lenient, wait=1',
    'wait=x',
    'progress',
    '"',
    'wait=0; a="b',
  ],
  'If-None-Match': ['*', '"x"', 'W/"1"', ',,', '"'],
  'Last-Event-ID': ['1.1', '0', 'x', '1.1_1.1', 'zzzzzzz.1', '1', '99999999999999999999'],
  Origin: ['http://evil.example', 'null', 'http://127.0.0.1'],
  Expect: ['100-continue', 'a-miracle'],
  Range: ['bytes=0-1'],
  'X-Forwarded-For': ['1.2.3.4, x', ''],
  Cookie: ['a=b'],
}

/** Any of what can be wrong with a request. */
export const spoiling: Arbitrary<Change> = fc.oneof(
  fc.tuple(fc.nat(9), odd).map(
    ([index, value]): Change =>
      (parts) => ({
        ...parts,
        segments: at(parts.segments, index, () => value),
      }),
  ),
  fc.tuple(fc.nat(9), odd).map(
    ([index, value]): Change =>
      (parts) => ({
        ...parts,
        query: at(parts.query, index, ([name]) => [name, value]),
      }),
  ),
  fc.nat(9).map(
    (index): Change =>
      ({ query, ...parts }) => ({
        ...parts,
        query: [...query, ...query.slice(index % (query.length + 1), (index % (query.length + 1)) + 1)],
      }),
  ),
  fc.tuple(odd, odd).map(
    ([name, value]): Change =>
      (parts) => ({ ...parts, query: [...parts.query, [name, value]] }),
  ),
  fc.constantFrom(...methods).map(
    (method): Change =>
      (parts) => ({ ...parts, method }),
  ),
  fc
    .constantFrom(
      ...Object.entries(headers).flatMap(([name, values]) => values.map((value) => [name, value] as const)),
    )
    .map(
      ([name, value]): Change =>
        (parts) => ({ ...parts, headers: { ...parts.headers, [name]: value } }),
    ),
  fc.oneof(fc.json(), fc.string(), fc.constant('['.repeat(2_000)), fc.constant('x'.repeat(400_000))).map(
    (body): Change =>
      (parts) => ({ ...parts, body }),
  ),
  fc.nat(400).map(
    (length): Change =>
      (parts) => ({ ...parts, body: parts.body?.slice(0, length) }),
  ),
  // A field of another type, or one more.
  fc.tuple(fc.constantFrom('topic', 'event_id', 'source', 'timestamp', 'payload', 'seq'), fc.jsonValue()).map(
    ([name, value]): Change =>
      (parts) => ({ ...parts, body: withField(parts.body, name, value) }),
  ),
)

function withField(body: string | undefined, name: string, value: unknown): string | undefined {
  try {
    const fields: unknown = JSON.parse(body ?? '')
    return JSON.stringify({ ...(fields as object), [name]: value })
  } catch {
    return body // it is not one JSON value, or not any more
  }
}
