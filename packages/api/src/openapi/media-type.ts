import type { JsonSchema } from './json-schema.ts'

interface Described {
  readonly mediaType: string
  readonly schema: JsonSchema
  readonly example: unknown
}

/** Whether it is a file of the console, whose schema has no more to say than that it is text. */
export const isFile = (mediaType: string): boolean =>
  mediaType !== 'text/event-stream' && /^(?:text|image)\//.test(mediaType)

export interface MediaType {
  readonly schema: JsonSchema
  readonly example: unknown
  readonly 'x-sekali-item-schema'?: JsonSchema
}

/**
 * A body of a media type. OpenAPI 3.1 has no word for the schema of a line, or of the data of an event (3.2 has
 * `itemSchema`): such a body is text, and the schema stands under a name of ours.
 */
export function mediaTypeOf({ mediaType, schema, example }: Described): MediaType {
  if (mediaType === 'application/json') return { schema, example }
  if (isFile(mediaType)) return { schema: { type: 'string' }, example }
  const json = JSON.stringify(example)
  const text = mediaType === 'text/event-stream' ? `id: 1\ndata: ${json}\n\n` : `${json}\n`
  return { schema: { type: 'string' }, example: text, 'x-sekali-item-schema': schema }
}
