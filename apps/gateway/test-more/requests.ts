/** Makes requests of the description of the API, and spoils some of them. */
import type { JsonSchema, OpenApi, Operation } from '@sekali/api/openapi'
import fc, { type Arbitrary } from 'fast-check'

export interface Sent {
  readonly method: string
  /** The path and the query, as they are sent. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

/** A request in parts, so that each can be spoiled. */
interface Parts {
  readonly method: string
  readonly segments: readonly string[]
  readonly query: readonly (readonly [name: string, value: string])[]
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

type Parameter = NonNullable<Operation['parameters']>[number]

/** Names that are there, beside those that are made: a request for what is nowhere sees little of the code. */
export type Known = Readonly<Record<string, readonly string[]>>

/** Requests to all operations, of which about every second is as the description wants it. */
export function requestsOf(document: OpenApi, known: Known): Arbitrary<Sent> {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      arbitrary: partsOf(document, known, method, path, operation),
      // What takes more can go wrong in more ways.
      weight: 1 + ('requestBody' in operation ? 12 : 0) + (operation.parameters?.length ?? 0),
    })),
  )
  const described = fc.oneof(...operations)
  const spoiled = fc
    .tuple(described, fc.array(spoiling, { minLength: 1, maxLength: 3 }))
    .map(([parts, changes]) => changes.reduce((now, change) => change(now), parts))
  return fc.oneof(described, spoiled).map(toSent)
}

function partsOf(
  document: OpenApi,
  known: Known,
  method: string,
  path: string,
  operation: Operation,
): Arbitrary<Parts> {
  const { parameters = [], requestBody } = operation
  const textOf = ({ name, schema, example }: Parameter) =>
    fc.oneof(
      fc.constantFrom(String(example), ...(known[name] ?? [])),
      valuesOf(document, schema).map((value) => (typeof value === 'string' ? value : String(value))),
    )
  const inPlace = (place: Parameter['in']) => parameters.filter((one) => one.in === place)
  const record = (place: Parameter['in']) =>
    fc.record(Object.fromEntries(inPlace(place).map((one) => [one.name, textOf(one)])), {
      requiredKeys: inPlace(place).flatMap((one) => (one.required ? [one.name] : [])),
    })
  const bodies = Object.entries(requestBody?.content ?? {}).map(([type, media]) => {
    const item = 'x-sekali-item-schema' in media ? media['x-sekali-item-schema'] : undefined
    const texts =
      item === undefined
        ? fc
            .oneof(fc.constant(media.example), valuesOf(document, media.schema))
            .map((value) => JSON.stringify(value))
        : fc
            .array(valuesOf(document, item), { maxLength: 4 })
            .map((all) => all.map((one) => JSON.stringify(one)).join('\n'))
    return texts.map((body) => ({ body, type }))
  })
  return fc
    .record({
      path: record('path'),
      query: record('query'),
      headers: record('header'),
      accept: fc.option(
        fc.constantFrom('application/json', 'application/x-ndjson', 'text/event-stream', '*/*'),
      ),
      sent: bodies.length === 0 ? fc.constant(undefined) : fc.oneof(...bodies),
    })
    .map(({ path: values, query, headers, accept, sent }) => ({
      method: method.toUpperCase(),
      segments: path
        .slice(1)
        .split('/')
        .map((segment) => segment.replace(/\{(\w+)\}/, (_, name) => encode(String(values[name])))),
      query: Object.entries(query).map(([name, value]) => [name, encode(String(value))] as const),
      headers: {
        ...printable(headers as Record<string, string>),
        ...(accept !== null && { Accept: accept }),
        ...(sent !== undefined && { 'Content-Type': sent.type }),
      },
      body: sent?.body,
    }))
}

/** Values that a schema takes. */
function valuesOf(document: OpenApi, schema: JsonSchema): Arbitrary<unknown> {
  const { $ref, anyOf, enum: options, const: only, type, properties = {}, required = [] } = schema
  const of = (one: unknown) => valuesOf(document, one as JsonSchema)
  if ($ref !== undefined) return of(document.components.schemas[$ref.split('/').at(-1) ?? ''])
  if (anyOf !== undefined) return fc.oneof(...anyOf.map(of))
  if (options !== undefined) return fc.constantFrom(...options)
  if (only !== undefined) return fc.constant(only)
  switch (type) {
    case 'integer':
      return fc.maxSafeInteger().map((n) => clamp(n, schema))
    case 'array':
      return fc.array(of(schema.items), { minLength: schema.minItems ?? 0, maxLength: 5 })
    case 'object':
      return Object.keys(properties).length === 0
        ? fc.dictionary(fc.string(), fc.jsonValue())
        : fc.record(Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, of(one)])), {
            requiredKeys: [...required],
          })
    case 'string':
      return schema.pattern === undefined
        ? fc.oneof(fc.constant('2025-12-08T10:00:00Z'), fc.string())
        : fc.stringMatching(new RegExp(schema.pattern), { maxLength: Math.min(schema.maxLength ?? 40, 40) })
    default:
      return fc.jsonValue()
  }
}

const clamp = (n: number, { minimum = 0, maximum = 1_000 }: JsonSchema): number =>
  minimum + (Math.abs(n) % (maximum - minimum + 1))

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

const spoiling: Arbitrary<Change> = fc.oneof(
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
  if (body === undefined || !body.startsWith('{') || body.includes('\n')) return body
  return JSON.stringify({ ...(JSON.parse(body) as object), [name]: value })
}

/** Half of a surrogate pair has no UTF-8, and so no encoding. */
const encode = (text: string): string => encodeURIComponent(text.toWellFormed())

/** What a header can have. */
const printable = (values: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.replace(/[^ -~]/g, '?')]))

const toSent = ({ method, segments, query, headers: fields, body }: Parts): Sent => ({
  method,
  target: `/${segments.join('/')}${query.length === 0 ? '' : `?${query.map(([name, value]) => `${name}=${value}`).join('&')}`}`,
  headers: fields,
  body,
})
