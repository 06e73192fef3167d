import type { Parameter, Parameters, RouteSpec } from '../route.ts'
import { jsonSchemaOf } from './json-schema.ts'
import { mediaTypeOf } from './media-type.ts'

/** What a key must be allowed to do, in words. */
const scopeSentence = (scope: RouteSpec['scope']): string =>
  scope === 'none'
    ? 'Needs no key.'
    : scope === 'any'
      ? 'Any key will do.'
      : `A key needs the scope \`${scope}\`.`

/** A route without its responses. */
export function operationOf({ id, tag, summary, description, scope, request }: RouteSpec) {
  const { path = {}, query = {}, headers = {}, bodies } = request
  const parameters = [
    ...parametersIn('path', path),
    ...parametersIn('query', query),
    ...parametersIn('header', headers),
  ]
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: `${description} ${scopeSentence(scope)}`,
    'x-sekali-scope': scope,
    security: scope === 'none' ? [] : [{ key: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(bodies && {
      requestBody: {
        required: true,
        content: Object.fromEntries(
          bodies.map((body) => [
            body.mediaType,
            mediaTypeOf({ ...body, schema: jsonSchemaOf(body.schema, 'request') }),
          ]),
        ),
      },
    }),
  }
}

const parametersIn = (place: 'path' | 'query' | 'header', parameters: Parameters) =>
  Object.entries(parameters)
    // OpenAPI gives Accept a place of its own, the media types of answers, and ignores it here.
    .filter(([name]) => name !== 'Accept')
    .map(([name, parameter]) => ({
      name,
      in: place,
      ...((place === 'path' || (place === 'query' && isRequired(parameter))) && { required: true }),
      description: parameter.description,
      ...schemaAndExample(parameter),
    }))

const isRequired = ({ schema }: Parameter): boolean => schema.type !== 'optional'

function schemaAndExample({ schema, example }: Parameter) {
  const json = jsonSchemaOf(schema, 'request')
  return { schema: json, example: json.type === 'integer' ? Number(example) : example }
}
