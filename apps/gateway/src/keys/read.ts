import { listKeys as listKeysRoute } from '@sekali/api/keys'
import { isKeyId } from '@sekali/core/key'
import { findKeys, listKeys, type StoredKey } from '@sekali/store/keys'
import { parseParameters } from '../http/parameters.ts'
import { problem } from '../http/problem.ts'
import { reply } from '../http/reply.ts'
import type { Handler } from '../http/router.ts'
import { forbidden, isWithin, type KeyDeps } from './deps.ts'
import { shown } from './shown.ts'

/** GET /keys: a page of keys, oldest first, as a plain array. */
export function list({ store }: KeyDeps): Handler {
  return async (c) => {
    const query = new URL(c.req.url).searchParams
    const { values, issues } = parseParameters(query, listKeysRoute.request.query)
    if (values === undefined || issues.length > 0) return problem('invalid_parameters', { errors: issues })
    const { limit, after } = values
    const keys = await listKeys(store, { after, limit: limit + 1 })
    if (keys === undefined) {
      return problem('invalid_parameters', {
        errors: [{ path: 'after', code: 'invalid_after', message: 'must be the id of a key' }],
      })
    }
    const page = keys.slice(0, limit)
    const next = keys.length > limit ? page.at(-1)?.id : undefined
    const now = Date.now()
    return reply(
      200,
      JSON.stringify(page.filter((key) => isWithin(c.env.incoming, key)).map((key) => shown(key, now))),
      {
        'Content-Type': 'application/json',
        ...(next !== undefined && { Link: `<?limit=${limit}&after=${next}>; rel="next"` }),
      },
    )
  }
}

/** GET /keys/{id}. */
export function show({ store }: KeyDeps): Handler {
  return async (c) => {
    const key = await findKey(store, c.req.param('id'))
    if (key === undefined) return problem('unknown_access_key')
    return (
      forbidden(c.env.incoming, 'does not see', key.grant) ??
      reply(200, JSON.stringify(shown(key, Date.now())))
    )
  }
}

export const findKey = async (store: KeyDeps['store'], id = ''): Promise<StoredKey | undefined> =>
  isKeyId(id) ? (await findKeys(store, [id])).get(id) : undefined
