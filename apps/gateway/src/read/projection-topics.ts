/** Which projections a key may see: those of which it may read all topics. */
import { allowsPattern, type Grant } from '@sekali/core/access'
import { parsePattern } from '@sekali/core/pattern'
import type { Store } from '@sekali/store/connect'
import { readProjectionTopics } from '@sekali/store/projection-topics'
import { forbidden, seesAll } from '../access/may.ts'
import { grantOf } from '../access/principals.ts'
import { toResponse } from '../http/reply.ts'
import type { Handler } from '../http/router.ts'

/**
 * The same handler of `/projections/{name}`, for those whose key covers the projection's topics. Whoever may not see all
 * topics gets the same answer for a projection that there is not: its name is nothing they may know.
 */
export const ofCoveredProjection =
  (store: Store, handler: Handler): Handler =>
  async (c) => {
    const grant = grantOf(c.env?.incoming)
    if (seesAll(grant)) return await handler(c)
    const name = c.req.param('name') ?? ''
    const topics = /^[\w-]{1,64}$/.test(name)
      ? (await readProjectionTopics(store, name)).get(name)
      : undefined
    return topics !== undefined && coversAll(grant, topics)
      ? await handler(c)
      : toResponse(forbidden(grant, notCovered))
  }

const notCovered = 'No projection of this name folds only topics that the key may use.'

/** The names of those that a key may see; undefined if it is all of them. */
export async function coveredProjections(
  store: Store,
  grant: Grant,
): Promise<ReadonlySet<string> | undefined> {
  if (seesAll(grant)) return undefined
  const topics = await readProjectionTopics(store)
  return new Set([...topics].filter(([, patterns]) => coversAll(grant, patterns)).map(([name]) => name))
}

const coversAll = (grant: Grant, patterns: readonly string[]): boolean =>
  patterns.every((pattern) => allowsPattern(grant, parsePattern(pattern)))
