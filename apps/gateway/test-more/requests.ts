/** Makes requests of the description of the API, and spoils some of them. */
import type { JsonSchema, OpenApi, Operation } from '@sekali/api/openapi'
import fc, { type Arbitrary } from 'fast-check'
import { type Parts, spoiling } from './spoiling.ts'

export interface Sent {
  readonly method: string
  /** The path and the query, as they are sent. */
  readonly target: string
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
    const item = media['x-sekali-item-schema']
    const texts =
      item === undefined
        ? fc
            .oneof(fc.constant(media.example), valuesOf(document, media.schema))
            .map((value) => JSON.stringify(value, atOnce))
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
  const { $ref, anyOf, oneOf, enum: options, const: only, type, properties = {}, required = [] } = schema
  const of = (one: unknown) => valuesOf(document, one as JsonSchema)
  if ($ref !== undefined) return of(document.components.schemas[$ref.split('/').at(-1) ?? ''])
  const choices = anyOf ?? oneOf
  if (choices !== undefined) return fc.oneof(...choices.map(of))
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

/** Of a few requests at a time each would hold the others up: nobody waits. */
const atOnce = (name: string, value: unknown): unknown => (name === 'wait_s' ? 0 : value)

const clamp = (n: number, { minimum = 0, maximum = 1_000 }: JsonSchema): number =>
  minimum + (Math.abs(n) % (maximum - minimum + 1))

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
