import { listKeys as listKeysRoute } from '@sekali/api/keys'
import { findKeys, listKeys, type StoredKey } from '@sekali/store/keys'
import { parseParameters } from '../http/parameters.ts'
import { problem } from '../http/problem.ts'
import { reply } from '../http/reply.ts'
import type { Handler } from '../http/router.ts'
import { isWithin, type KeyDeps, ownedKey } from './deps.ts'
import { shown } from './shown.ts'

/** GET /keys: a page of keys, oldest first, as a plain array. */
export function list({ store }: KeyDeps): Handler {
  return async (c) => {
    const query = new URL(c.req.url).searchParams
    const { values, issues } = parseParameters(query, listKeysRoute.request.query)
    if (values === undefined || issues.length > 0) return problem('invalid_parameters', { errors: issues })
    const { limit, after } = values
    const isOwn = (key: StoredKey) => isWithin(c.env.incoming, key)
    const keys = await listOwn(store, isOwn, { after, limit: limit + 1 })
    if (keys === undefined) {
      return problem('invalid_parameters', {
        errors: [{ path: 'after', code: 'invalid_after', message: 'must be the id of a key' }],
      })
    }
    const page = keys.slice(0, limit)
    const next = keys.length > limit ? page.at(-1)?.id : undefined
    const now = Date.now()
    return reply(200, JSON.stringify(page.map((key) => shown(key, now))), {
      'Content-Type': 'application/json',
      ...(next !== undefined && { Link: `<?limit=${limit}&after=${next}>; rel="next"` }),
    })
  }
}

/** Keys read at a time, where most of them may be another's. */
const chunk = 1_000

/** A page of those keys that may be seen; `undefined` if `after` is none of them. */
async function listOwn(
  store: KeyDeps['store'],
  isOwn: (key: StoredKey) => boolean,
  { after, limit }: { readonly after?: string | undefined; readonly limit: number },
): Promise<readonly StoredKey[] | undefined> {
  const behind = after === undefined ? undefined : (await findKeys(store, [after])).get(after)
  if (after !== undefined && (behind === undefined || !isOwn(behind))) return undefined
  const own: StoredKey[] = []
  for (let from = after, size = limit; own.length < limit; size = chunk) {
    const keys = (await listKeys(store, { after: from, limit: size })) ?? []
    own.push(...keys.filter(isOwn))
    from = keys.at(-1)?.id
    if (keys.length < size || from === undefined) break
  }
  return own.slice(0, limit)
}

/** GET /keys/{id}. */
export function show({ store }: KeyDeps): Handler {
  return async (c) => {
    const key = await ownedKey(store, c.env.incoming, c.req.param('id'))
    return key instanceof Response ? key : reply(200, JSON.stringify(shown(key, Date.now())))
  }
}
