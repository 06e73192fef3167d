/**
 * The description of the API (OpenAPI 3.1), made of the table of routes. What many routes have in common is written once,
 * under `components`, because the document is read over the network.
 */
import type { RouteSpec } from '../route.ts'
import { routes } from '../routes.ts'
import { pathTemplate } from '../words.ts'
import { headOf, securitySchemes } from './head.ts'
import { type JsonSchema, namedSchemas } from './json-schema.ts'
import { operationOf } from './operation.ts'
import { headerComponents, type Response, responsesOf } from './responses.ts'

export type { JsonSchema } from './json-schema.ts'

export interface OpenApi {
  readonly openapi: string
  readonly info: Readonly<Record<string, unknown>>
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>
    readonly responses: Readonly<Record<string, Response>>
    readonly headers: Readonly<Record<string, object>>
    readonly securitySchemes: object
  }
}

interface Reference {
  readonly $ref: string
}

export type Operation = ReturnType<typeof operationOf> & {
  readonly responses: Readonly<Record<string, Response | Reference>>
}

/** The description of a gateway of this version. */
export function createDocument(version: string): OpenApi {
  const all: readonly RouteSpec[] = routes
  const { responses, refer } = shareResponses(all)
  const describe = (route: RouteSpec): Operation => ({
    ...operationOf(route),
    responses: Object.fromEntries(
      [...responsesOf(route)].map(([status, response]) => [status, refer(response)]),
    ),
  })
  const paths = Object.fromEntries(
    [...Map.groupBy(all, ({ path }) => pathTemplate(path))].map(([path, ofIt]) => [
      path,
      Object.fromEntries(ofIt.map((route) => [route.method.toLowerCase(), describe(route)])),
    ]),
  )
  return {
    ...headOf(version, new Set(all.map(({ tag }) => tag))),
    paths,
    components: {
      schemas: namedSchemas(),
      responses,
      headers: headersIn(JSON.stringify([paths, responses])),
      securitySchemes,
    },
  }
}

/** Writes the responses once that several routes have: most problems can come anywhere. */
function shareResponses(all: readonly RouteSpec[]) {
  const pairs = all.flatMap((route) => [...responsesOf(route)])
  const counts = new Map<string, number>()
  const names = new Map<string, string>()
  const responses: Record<string, Response> = {}
  for (const [status, response] of pairs) {
    const text = JSON.stringify(response)
    const count = (counts.get(text) ?? 0) + 1
    counts.set(text, count)
    if (count !== 2) continue
    const ofStatus = Object.keys(responses).filter((name) => name.startsWith(`Answer${status}`)).length
    const name = `Answer${status}${ofStatus === 0 ? '' : `-${ofStatus + 1}`}`
    names.set(text, name)
    responses[name] = response
  }
  return {
    responses,
    /** The response, or where it is. */
    refer(response: Response): Response | Reference {
      const name = names.get(JSON.stringify(response))
      return name === undefined ? response : { $ref: `#/components/responses/${name}` }
    },
  }
}

/** The headers that a text refers to. */
const headersIn = (text: string) =>
  Object.fromEntries(
    Object.entries(headerComponents()).filter(([name]) => text.includes(`"#/components/headers/${name}"`)),
  )
