import {
  type ConversionConfig,
  type JsonSchema,
  toJsonSchema,
  toJsonSchemaDefs,
} from '@valibot/to-json-schema'
import type * as v from 'valibot'
import { ofAnswers, ofRequests } from './named.ts'

export type { JsonSchema } from '@valibot/to-json-schema'

/** A pattern of JSON Schema is one of Unicode (2020-12, 6.4), so the flag `u` says nothing more. */
const unicodePattern: ConversionConfig['overrideAction'] = ({ valibotAction, jsonSchema }) => {
  const { type, requirement } = valibotAction as { readonly type: string; readonly requirement?: unknown }
  const isUnicode = type === 'regex' && requirement instanceof RegExp && requirement.flags === 'u'
  // It has its pattern by now, if it has no other.
  return isUnicode && jsonSchema.pattern === requirement.source ? jsonSchema : undefined
}

/**
 * A schema that cannot be written in JSON Schema throws, when the description is made. A check by code is left out, and a
 * brand, which exists for TypeScript alone: metadata say what the code does (see schemas/text.ts).
 */
const config = {
  target: 'draft-2020-12',
  errorMode: 'throw',
  ignoreActions: ['check', 'brand'],
  overrideAction: unicodePattern,
  overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
} satisfies ConversionConfig

const configs = {
  request: { ...config, typeMode: 'input', definitions: ofRequests },
  answer: { ...config, typeMode: 'output', definitions: ofAnswers },
} as const

/** In which direction it goes: what is parsed is described as it comes, before it is changed. */
export type Direction = keyof typeof configs

/** The schema, which refers to the named ones. */
export function jsonSchemaOf(schema: v.GenericSchema, direction: Direction): JsonSchema {
  const { $schema, $defs, ...rest } = toJsonSchema(schema, configs[direction])
  return rest
}

export const namedSchemas = (): Readonly<Record<string, JsonSchema>> => ({
  ...toJsonSchemaDefs(ofRequests, configs.request),
  ...toJsonSchemaDefs(ofAnswers, configs.answer),
})
