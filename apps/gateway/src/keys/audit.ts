import { readAudit as readAuditRoute } from '@sekali/api/keys'
import { allowsPattern } from '@sekali/core/access'
import { parsePattern } from '@sekali/core/pattern'
import { readAudit } from '@sekali/store/read-audit'
import { grantOf } from '../access/principals.ts'
import { parseParameters } from '../http/parameters.ts'
import { problem } from '../http/problem.ts'
import { reply } from '../http/reply.ts'
import type { Handler } from '../http/router.ts'
import type { KeyDeps } from './deps.ts'

const everything = parsePattern('>')

/** GET /audit: a page of what administrators did, newest first, or ascending behind `after`. */
export function audit({ store }: KeyDeps): Handler {
  return async (c) => {
    const query = new URL(c.req.url).searchParams
    const { values, issues } = parseParameters(query, readAuditRoute.request.query)
    if (values === undefined || issues.length > 0) return problem('invalid_parameters', { errors: issues })
    if (!allowsPattern(grantOf(c.env.incoming), everything)) {
      return problem('forbidden', { detail: 'The audit log tells of all topics. It takes a key for all: >.' })
    }
    const { limit, after, before } = values
    const entries = await readAudit(store, { after, before, limit: limit + 1 })
    const page = entries.slice(0, limit)
    const next = entries.length > limit ? page.at(-1)?.number : undefined
    return reply(200, JSON.stringify(page), {
      'Content-Type': 'application/json',
      ...(next !== undefined && { Link: `<?${nextPage(query, limit, next)}>; rel="next"` }),
    })
  }
}

function nextPage(query: URLSearchParams, limit: number, number: number): URLSearchParams {
  const next = new URLSearchParams(query)
  next.set('limit', String(limit))
  next.set(query.has('after') ? 'after' : 'before', String(number))
  return next
}
