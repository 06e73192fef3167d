/** What a schema says, as lines of a table. */
import { type OpenApi, resolve, type Schema } from './document.ts'

export interface FieldLine {
  /** `payload`, or `events[].errors[].path`. */
  readonly path: string
  readonly type: string
  readonly isRequired: boolean
  readonly description: string
}

/** Levels of objects that are shown. */
const depthMax = 4

/** The fields of an object, or of the objects in an array; of a union those of each. */
export function fieldsOf(document: OpenApi, schema: Schema): readonly FieldLine[] {
  return linesOf(document, schema, '', 0)
}

function linesOf(document: OpenApi, given: Schema, prefix: string, depth: number): FieldLine[] {
  if (depth >= depthMax) return []
  const { schema } = resolve(document, given)
  if (schema.items) return linesOf(document, schema.items, `${prefix}[]`, depth)
  const parts = [...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]
  const ofParts = parts.flatMap((part) => linesOf(document, part, prefix, depth))
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`
    const isRequired = schema.required?.includes(name) ?? false
    const description = property.description ?? resolve(document, property).schema.description ?? ''
    const line = { path, type: typeOf(document, property), isRequired, description }
    return [line, ...linesOf(document, property, path, depth + 1)]
  })
  return unique([...own, ...ofParts])
}

/** Two members of a union often have the same field. */
function unique(lines: readonly FieldLine[]): FieldLine[] {
  const seen = new Set<string>()
  return lines.filter(({ path, type }) => {
    const text = `${path} ${type}`
    return !seen.has(text) && seen.add(text)
  })
}

/** In words: `string, 1 to 128 characters`, `array of string or null`. */
export function typeOf(document: OpenApi, given: Schema): string {
  const { schema } = resolve(document, given)
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  const union = schema.anyOf ?? schema.oneOf
  if (union) return [...new Set(union.map((part) => typeOf(document, part)))].join(' or ')
  if (schema.items) return `array of ${typeOf(document, schema.items)}`
  const types = typeof schema.type === 'string' ? schema.type : (schema.type?.join(' or ') ?? 'any')
  return [types, boundsOf(schema)].filter(Boolean).join(', ')
}

/** Bounds that no number of JavaScript comes to are not worth a word. */
function boundsOf({ minimum, maximum, minLength, maxLength }: Schema): string {
  const [from, to, unit] =
    minLength === undefined && maxLength === undefined
      ? [minimum, maximum, '']
      : [minLength, maxLength, ' characters']
  const max = to === Number.MAX_SAFE_INTEGER ? undefined : to
  if (from === undefined && max === undefined) return ''
  if (max === undefined) return `from ${from}${unit}`
  return from === undefined ? `up to ${max}${unit}` : `${from} to ${max}${unit}`
}
