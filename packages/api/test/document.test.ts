import { Ajv2020 } from 'ajv/dist/2020.js'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { createDocument } from '../src/openapi/document.ts'
import { jsonSchemaOf } from '../src/openapi/json-schema.ts'
import { routes } from '../src/routes.ts'

const document = createDocument('1.2.3')
const ajv = new Ajv2020({ strict: false, validateFormats: false })
ajv.addSchema(document, 'api')

interface Described {
  readonly schema: object
  readonly example?: unknown
}

/** Everything in the document that has a schema, with where it is. */
function* described(value: unknown, at = ''): Generator<readonly [pointer: string, Described]> {
  if (typeof value !== 'object' || value === null) return
  if ('schema' in value && typeof value.schema === 'object') yield [at, value as Described]
  for (const [key, one] of Object.entries(value)) {
    yield* described(one, `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`)
  }
}

test('the document names the version, and every route with its scope', () => {
  expect(document).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3', license: { name: 'MIT' } } })
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, 'x-sekali-scope': scope, security }]) => {
      expect(security).toEqual(scope === 'none' ? [] : [{ key: [] }])
      return `${operationId} ${method} ${path.replace(/\{\w+\}/g, ':')} ${scope}`
    }),
  )
  const rows = routes.map(
    ({ id, method, path, scope }) =>
      `${id} ${method.toLowerCase()} ${path.replace(/:\w+(\{.*\})?/g, ':')} ${scope}`,
  )
  expect(operations.sort()).toEqual(rows.sort())
})

test('every schema of the document can be compiled, and takes the example beside it', () => {
  const all = [...described(document)]
  expect(all.length).toBeGreaterThan(60)
  for (const [pointer, { example }] of all) {
    const validate = ajv.compile({ $ref: `api#${encodeURI(pointer)}/schema` })
    if (example !== undefined)
      expect([pointer, validate(example), validate.errors]).toEqual([pointer, true, null])
  }
})

test('every operation says what happens to a request that is not right', () => {
  for (const methods of Object.values(document.paths)) {
    for (const { operationId, responses } of Object.values(methods)) {
      expect([operationId, Object.keys(responses)]).toEqual([
        operationId,
        expect.arrayContaining(['400', '503']),
      ])
    }
  }
})

test('a schema that JSON Schema has no words for keeps the document from being made', () => {
  expect(() => jsonSchemaOf(v.date(), 'answer')).toThrow(/date/)
  expect(() => jsonSchemaOf(v.pipe(v.string(), v.regex(/a/i)), 'answer')).toThrow(/flags/)
  expect(jsonSchemaOf(v.pipe(v.string(), v.regex(/^\p{L}$/u)), 'answer')).toMatchObject({
    pattern: '^\\p{L}$',
  })
})

test('the document is small enough to be read by whoever begins: of each route it has little to say', () => {
  expect(JSON.stringify(document).length / routes.length).toBeLessThan(3_750)
})
