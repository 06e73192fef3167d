/** What a route answers, by status: its answers, and its problems. */
import { type HeaderName, type Headers, headers, headersOfAll } from '../headers.ts'
import { headersOfProblem, joinHeaders } from '../problem-headers.ts'
import { type ProblemCode, problems } from '../problems.ts'
import { problemsOf } from '../problems-of.ts'
import type { Answer, RouteSpec } from '../route.ts'
import { type JsonSchema, jsonSchemaOf } from './json-schema.ts'
import { mediaTypeOf } from './media-type.ts'

export interface Response {
  readonly description: string
  readonly headers?: Readonly<Record<string, object>>
  readonly content?: Readonly<Record<string, object>>
}

/** The responses of a route, by status. */
export function responsesOf(route: RouteSpec): ReadonlyMap<number, Response> {
  const answers = Map.groupBy<number, Answer>(route.answers, ({ status }) => status)
  const codes = codesOf(route)
  const statuses = [...new Set([...answers.keys(), ...codes.keys()])].sort((a, b) => a - b)
  return new Map(
    statuses.map((status) => [status, responseOf(answers.get(status) ?? [], codes.get(status) ?? [])]),
  )
}

/** The codes of a route's problems, by status. */
function codesOf(route: RouteSpec): ReadonlyMap<number, ProblemCode[]> {
  const pairs = problemsOf(route).map((one) =>
    typeof one === 'string' ? { code: one, status: problems[one][0] } : one,
  )
  const groups = Map.groupBy<number, (typeof pairs)[number]>(pairs, ({ status }) => status)
  return new Map(
    [...groups].map(([status, ofIt]) => [status, [...new Set(ofIt.map(({ code }) => code))].sort()]),
  )
}

function responseOf(answers: readonly Answer[], codes: readonly ProblemCode[]): Response {
  const descriptions = answers.map(({ description }) => description)
  if (codes.length > 0) descriptions.push(`${codes.map((code) => `\`${code}\``).join(', ')}.`)
  const content = Object.fromEntries([
    ...answers.flatMap(contentOf),
    ...(codes.length > 0 ? [['application/problem+json', { schema: problemOf(codes) }] as const] : []),
  ])
  const own = joinHeaders([...answers.map((one) => one.headers ?? {}), ...codes.map(headersOfProblem)])
  const joined = { ...own, ...headersOfAll }
  const names = Object.keys(joined) as HeaderName[]
  return {
    description: descriptions.join(' '),
    headers: Object.fromEntries(names.map((name) => headerOf(name, joined))),
    ...(Object.keys(content).length > 0 && { content }),
  }
}

const contentOf = (answer: Answer) =>
  'schema' in answer
    ? [[answer.mediaType, mediaTypeOf({ ...answer, schema: jsonSchemaOf(answer.schema, 'answer') })] as const]
    : []

const problemOf = (codes: readonly ProblemCode[]): JsonSchema => ({
  allOf: [
    { $ref: '#/components/schemas/Problem' },
    { type: 'object', properties: { code: { enum: [...codes] } } },
  ],
})

const headerOf = (name: HeaderName, has: Headers) => {
  const component = has[name] === 'always' ? always(name) : name
  return [name, { $ref: `#/components/headers/${component}` }] as const
}

const always = (name: string) => `${name}.always`

/** Each header twice, as what refers to one cannot add to it: one that may be there, and one that always is. */
export const headerComponents = (): Readonly<Record<string, object>> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, [description, example]]) => {
      const header = { description, schema: { type: 'string' }, example }
      return [
        [name, header],
        [always(name), { ...header, required: true }],
      ]
    }),
  )
