import type { IncomingMessage } from 'node:http'
import type { Issue } from '@sekali/core/errors'
import * as v from 'valibot'
import { refusal } from './problem.ts'
import type { Answer } from './reply.ts'
import { jsonBody } from './small-bodies.ts'

/** The body by its schema, or why it is refused, with the code of the problem. Throws `MalformedJson`. */
export function parseBody<S extends v.GenericSchema>(
  request: IncomingMessage,
  schema: S,
  code: 'invalid_body' | 'invalid_key' = 'invalid_body',
): { readonly value: v.InferOutput<S> } | { readonly refused: Answer } {
  const body = jsonBody(request)
  if ('refused' in body) return body
  // valibot takes an array for an object
  const json = Array.isArray(body.json) ? null : body.json
  const parsed = v.safeParse(schema, json, { abortPipeEarly: true })
  if (parsed.success) return { value: parsed.output }
  return { refused: refusal(code, { errors: parsed.issues.map(issueOf) }) }
}

const pathCharsMax = 64

function issueOf(issue: v.BaseIssue<unknown>): Issue {
  const path = (v.getDotPath(issue) ?? '').slice(0, pathCharsMax).toWellFormed()
  const [field = ''] = path.split('.')
  if (issue.expected === 'never')
    return { path, code: 'unknown_field', message: 'is not a field: leave it out' }
  if (issue.received === 'undefined') return { path, code: 'missing_field', message: 'is required' }
  return { path, code: `invalid_${field || 'body'}`, message: issue.message }
}
