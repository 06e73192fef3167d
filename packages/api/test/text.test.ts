/** JSON Schema, which clients read, and the schemas that parse mean the same texts. */

import { wholeNumber } from '@sekali/core/whole-number'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { jsonSchemaOf } from '../src/openapi/json-schema.ts'
import { EventIdText, Instant, SourceText, Topic, TopicPattern, TrueOrFalse } from '../src/schemas/text.ts'

const ajv = new Ajv2020({ strict: false, validateFormats: false })

/** Texts near to what is taken: of its characters, of lengths about the limits, and any others. */
const texts = (characters: string) =>
  fc.oneof(
    fc.string({ unit: fc.constantFrom(...characters), maxLength: 300 }),
    fc.nat({ max: 300 }).map((length) => (characters[0] ?? '').repeat(length)),
    fc.string({ maxLength: 12 }),
  )

test.each<[string, v.GenericSchema, string]>([
  ['a topic', Topic, 'aZ09_-.'],
  ['a pattern', TopicPattern, 'a_.*>'],
  ['an event id', EventIdText, 'a\0 é/'],
  ['a source', SourceText, 'a\0 é/'],
  ['a flag', TrueOrFalse, 'truefals'],
  ['a time of an answer', Instant, '0123456789-T:.Z'],
])('%s is described as it is parsed', (_, schema, characters) => {
  const validate = ajv.compile(jsonSchemaOf(schema, 'request') as object)
  const isSame = fc.property(texts(characters), (text) => validate(text) === v.is(schema, text))
  fc.assert(isSame, { numRuns: 2_000 })
})

test('a whole number is described as the number that its digits are', () => {
  const schema = wholeNumber(1, 1_000, 100)
  expect(jsonSchemaOf(schema, 'request')).toMatchObject({
    type: 'integer',
    minimum: 1,
    maximum: 1_000,
    default: 100,
  })
  const validate = ajv.compile(jsonSchemaOf(schema, 'request') as object)
  const isSame = fc.property(
    fc.integer({ min: -10, max: 1_010 }),
    (n) => validate(n) === v.is(schema, String(n)),
  )
  fc.assert(isSame, { numRuns: 2_000 })
})
