import type { Parameters } from '@sekali/api/route'
import type { Issue } from '@sekali/core/errors'
import * as v from 'valibot'

type Entries<P extends Parameters> = { readonly [Name in keyof P]: P[Name]['schema'] }

/**
 * Reads a query by the parameters of a route. A name that is unknown or comes twice is refused: a misspelt `after` would
 * read from the beginning.
 */
export function parseParameters<const P extends Parameters>(
  query: URLSearchParams,
  parameters: P,
): {
  readonly values: v.InferOutput<v.ObjectSchema<Entries<P>, undefined>> | undefined
  readonly issues: Issue[]
} {
  const names = Object.keys(parameters)
  const entries = Object.fromEntries(names.map((name) => [name, parameters[name]?.schema])) as Entries<P>
  const parsed = v.safeParse(v.object(entries), Object.fromEntries(query), { abortPipeEarly: true })
  const issues = [...nameIssues(query, names), ...(parsed.issues ?? []).map(valueIssue)]
  return { values: parsed.success ? parsed.output : undefined, issues }
}

function nameIssues(query: URLSearchParams, known: readonly string[]): Issue[] {
  return [...new Set(query.keys())].slice(0, 8).flatMap((name) => {
    const path = name.slice(0, 64).toWellFormed()
    if (!known.includes(name)) {
      return [{ path, code: 'unknown_parameter', message: `is not a parameter: use ${known.join(', ')}` }]
    }
    const isRepeated = query.getAll(name).length > 1
    return isRepeated ? [{ path, code: 'repeated_parameter', message: 'must come once' }] : []
  })
}

function valueIssue(issue: v.BaseIssue<unknown>): Issue {
  const path = String(issue.path?.[0]?.key)
  if (issue.type === 'object') return { path, code: 'missing_parameter', message: 'is required' }
  return { path, code: `invalid_${path}`, message: issue.message }
}
