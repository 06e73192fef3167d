/** As much of OpenAPI 3.1 as the gateway's own description uses. */

export interface Reference {
  readonly $ref: string
}

export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly format?: string
}

export interface MediaType {
  readonly schema?: Schema
  readonly example?: unknown
}

export interface Response {
  readonly description: string
  readonly headers?: Readonly<Record<string, unknown>>
  readonly content?: Readonly<Record<string, MediaType>>
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly description?: string
  readonly schema?: Schema
  readonly example?: unknown
}

interface Operation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description: string
  readonly 'x-sekali-scope': string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaType>> }
  readonly responses: Readonly<Record<string, Response | Reference>>
}

export interface OpenApi {
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly tags: readonly { readonly name: string; readonly description: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>
    readonly responses: Readonly<Record<string, Response>>
  }
}

/** An operation with where it is. */
export interface Route extends Operation {
  readonly method: string
  readonly path: string
}

/** All of them, by their tags in the document's order. */
export function routesOf({
  paths,
  tags,
}: OpenApi): readonly { readonly tag: OpenApi['tags'][number]; readonly routes: readonly Route[] }[] {
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]): Route => ({ ...operation, method: method.toUpperCase(), path }),
    ),
  )
  return tags.map((tag) => ({ tag, routes: all.filter(({ tags }) => tags.includes(tag.name)) }))
}

const nameIn = ($ref: string): string => $ref.split('/').at(-1) ?? ''

export function responseOf(document: OpenApi, response: Response | Reference): Response {
  if (!('$ref' in response)) return response
  return document.components.responses[nameIn(response.$ref)] ?? { description: '' }
}

/** The codes of the problems that a response can have. */
export function codesOf(response: Response): readonly string[] {
  const schema = response.content?.['application/problem+json']?.schema
  return (schema?.allOf ?? []).flatMap((part) => (part.properties?.code?.enum ?? []).map(String))
}

/** What a schema stands for, and the name that it has in the document. */
export function resolve(
  document: OpenApi,
  schema: Schema,
): { readonly schema: Schema; readonly name?: string } {
  if (schema.$ref === undefined) return { schema }
  const name = nameIn(schema.$ref)
  return { schema: document.components.schemas[name] ?? {}, name }
}
