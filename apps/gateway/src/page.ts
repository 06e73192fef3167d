import type { Issue } from '@sekali/core/errors'
import { type StoredEvent, TopicName } from '@sekali/core/event'
import { limits } from '@sekali/core/limits'
import * as v from 'valibot'

const Parameters = v.object({
  topic: v.optional(TopicName),
  limit: v.optional(wholeNumber(1, limits.pageSizeMax)),
  after: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER)),
  before: v.optional(wholeNumber(1, Number.MAX_SAFE_INTEGER)),
})

/** Which events are wanted: those after a seq, oldest first, or else the newest first, before a seq if given. */
export interface Page {
  readonly topic?: TopicName
  readonly limit: number
  readonly after?: number
  readonly before?: number
}

/** Reads the query of `GET /events`. What is unknown or said twice is refused: a misspelt `after` would read anew. */
export function parsePage(query: URLSearchParams): Page | { readonly issues: readonly Issue[] } {
  const parsed = v.safeParse(Parameters, Object.fromEntries(query), { abortPipeEarly: true })
  const issues = [...nameIssues(query), ...(parsed.issues ?? []).map(valueIssue), ...combinationIssues(query)]
  if (!parsed.success || issues.length > 0) return { issues }
  const { topic, limit = limits.pageSizeDefault, after, before } = parsed.output
  return {
    limit,
    ...(topic === undefined ? {} : { topic }),
    ...(after === undefined ? {} : { after }),
    ...(before === undefined ? {} : { before }),
  }
}

/**
 * Where the next page is, as an absolute-path reference (RFC 8288). A seq numbers the events of one topic, so pages
 * over all topics have no next one: they show what is new, and are not for reading everything.
 */
export function nextPage(page: Page, last: StoredEvent | undefined): string | undefined {
  if (page.topic === undefined || last === undefined) return undefined
  const query = new URLSearchParams({
    topic: page.topic,
    limit: String(page.limit),
    [page.after === undefined ? 'before' : 'after']: String(last.seq),
  })
  return `/events?${query}`
}

function wholeNumber(min: number, max: number) {
  const rule = `must be a whole number from ${min} to ${max}`
  return v.pipe(
    v.string(rule),
    v.regex(/^\d{1,16}$/, rule),
    v.transform(Number),
    v.minValue(min, rule),
    v.maxValue(max, rule),
  )
}

function nameIssues(query: URLSearchParams): Issue[] {
  const names = [...query.keys()]
  return [...new Set(names)].slice(0, 8).flatMap((name) => {
    const path = name.slice(0, 64).toWellFormed()
    if (!Object.hasOwn(Parameters.entries, name)) {
      return [
        { path, code: 'unknown_parameter', message: 'is not a parameter: use topic, limit, after, before' },
      ]
    }
    return query.getAll(name).length === 1
      ? []
      : [{ path, code: 'repeated_parameter', message: 'must come once' }]
  })
}

function valueIssue(issue: v.BaseIssue<unknown>): Issue {
  const path = String(issue.path?.[0]?.key)
  return { path, code: `invalid_${path}`, message: issue.message }
}

function combinationIssues(query: URLSearchParams): Issue[] {
  const issues: Issue[] = []
  if (!query.has('topic') && (query.has('after') || query.has('before'))) {
    issues.push({ path: 'topic', code: 'missing_topic', message: 'is required with after and with before' })
  }
  if (query.has('after') && query.has('before')) {
    issues.push({ path: 'before', code: 'contradictory_parameters', message: 'cannot go with after' })
  }
  return issues
}
