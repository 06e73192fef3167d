/** Holds answers against the description of the API. */
import { headersOfAll, headers as knownHeaders } from '@sekali/api/headers'
import { isFile } from '@sekali/api/media-type'
import { problemsOf } from '@sekali/api/problems-of'
import type { ValidateFunction } from 'ajv/dist/2020.js'
import type { Described, DescribedResponse } from './described.ts'

/** An answer as it went out. */
export interface Answered {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly status: number
  /** By names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  /** What came of the body, if it was looked at; of a stream its first part. */
  readonly body: string | undefined
  /** Whether that is all of it. */
  readonly isWhole: boolean
}

/** What is not as described, in words. */
export function violationsOf(described: Described, answered: Answered): readonly string[] {
  const { method, path, status } = answered
  const operation = described.operation(method, path)
  const found =
    operation === undefined
      ? violationsElsewhere(described, answered)
      : violationsAt(operation.response(status), answered)
  const subject = `${method} ${path} (${operation?.id ?? 'no route'}) answered ${status}`
  return [...found, ...violationsOfAll(answered)].map((one) => `${subject}: ${one}`)
}

/** Of HTTP itself, or the same for all answers. */
const alwaysAllowed = new Set([
  ...['cache-control', 'x-content-type-options', 'x-accel-buffering'],
  // Of browsers: where an operator lists origins, and of the page.
  ...['access-control-allow-origin', 'access-control-expose-headers', 'access-control-max-age'],
  ...['access-control-allow-methods', 'access-control-allow-headers'],
  ...['content-security-policy', 'cross-origin-resource-policy', 'referrer-policy'],
  ...['connection', 'content-length', 'content-type', 'date', 'keep-alive', 'transfer-encoding'],
])

/** Where an operator lists origins, every answer depends on the origin. */
const isOfOrigins = (name: string, headers: Answered['headers']): boolean =>
  name === 'vary' && headers.get(name) === 'Origin'

const named = new Set(Object.keys(knownHeaders).map((name) => name.toLowerCase()))

function violationsOfAll({ headers }: Answered): string[] {
  const unknown = headers.keys().filter((name) => !alwaysAllowed.has(name) && !named.has(name))
  return [
    ...[...unknown].map((name) => `the header ${name} is not described`),
    ...(headers.get('x-content-type-options') === 'nosniff' ? [] : ['X-Content-Type-Options is missing']),
    ...(headers.has('cache-control') ? [] : ['Cache-Control is missing']),
    ...Object.keys(headersOfAll)
      .filter((name) => !headers.has(name.toLowerCase()))
      .map((name) => `${name} is missing`),
  ]
}

function violationsAt(response: DescribedResponse | undefined, answered: Answered): string[] {
  const { method, headers, body } = answered
  if (response === undefined) return ['the status is not described']
  const type = headers.get('content-type')
  const undescribed = [...headers.keys()].filter(
    (name) => named.has(name) && !response.headers.has(name) && !isOfOrigins(name, headers),
  )
  const missing = [...response.headers].filter(([name, isAlways]) => isAlways && !headers.has(name))
  const found = [
    ...undescribed.map((name) => `the header ${name} is not described here`),
    ...missing.map(([name]) => `the header ${name} is missing`),
  ]
  if (type === undefined)
    return response.mediaTypes.length === 0 ? found : [...found, 'it has no Content-Type']
  if (!response.mediaTypes.includes(type)) return [...found, `the media type ${type} is not described`]
  if (method === 'HEAD' || body === undefined || isFile(type)) return found
  return [...found, ...bodyViolations(response.validatorOf(type), type, answered)]
}

const anywhere = new Set(
  problemsOf({ method: 'POST', scope: 'admin', problems: ['not_found', 'method_not_allowed'] }).map((one) =>
    typeof one === 'string' ? one : one.code,
  ),
)

/** Where there is no such route: OPTIONS is answered by all paths, anything else by what can go wrong everywhere. */
function violationsElsewhere({ problem }: Described, answered: Answered): string[] {
  const { method, status, headers, body } = answered
  if (method === 'OPTIONS' && status === 204)
    return headers.has('allow') || headers.has('access-control-allow-methods')
      ? []
      : ['the header allow is missing']
  if (headers.get('content-type') !== 'application/problem+json') return ['it is no problem']
  if (method === 'HEAD' || body === undefined) return []
  const found = bodyViolations(problem, 'application/json', answered)
  const { code } = found.length === 0 ? JSON.parse(body) : {}
  return found.length > 0 || anywhere.has(code) ? found : [`the code ${code} is not one of any request`]
}

/** Lines of a stream that are looked at: all are made in the same way. */
const itemsMax = 200

function bodyViolations(
  validate: ValidateFunction,
  type: string,
  { body = '', isWhole }: Answered,
): string[] {
  const isJson = type === 'application/json' || type === 'application/problem+json'
  if (isJson) return isWhole ? valueViolations(validate, body) : []
  const ends = isWhole ? body : body.slice(0, body.lastIndexOf('\n') + 1)
  const lines = ends.split('\n').filter((line) => line !== '')
  const data = lines.flatMap((line) => (line.startsWith('data: ') ? [line.slice('data: '.length)] : []))
  const items = type === 'text/event-stream' ? data : lines
  return items
    .slice(0, itemsMax)
    .flatMap((item) => valueViolations(validate, item))
    .slice(0, 1)
}

function valueViolations(validate: ValidateFunction, text: string): string[] {
  try {
    if (validate(JSON.parse(text))) return []
  } catch {
    return ['the body is not JSON']
  }
  // Of a union the errors of all branches come: the deepest is of the one that was meant.
  const errors = [...(validate.errors ?? [])].sort((a, b) => b.instancePath.length - a.instancePath.length)
  const { instancePath, message, params } = errors[0] ?? { instancePath: '' }
  return [
    `the body at ${instancePath || 'its top'} ${message} ${JSON.stringify(params)}: ${text.slice(0, 300)}`,
  ]
}
