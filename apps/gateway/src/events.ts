import { eventToJson } from '@sekali/core/event'
import type { Store } from '@sekali/store/connect'
import { readEvents } from '@sekali/store/read'
import type { Context } from 'hono'
import { nextPage, parsePage } from './page.ts'
import { problem } from './problem.ts'
import { reply } from './reply.ts'

/** GET /events: a page of stored events, as a plain array. */
export function events(store: Store) {
  return async (c: Context): Promise<Response> => {
    const page = parsePage(new URL(c.req.url).searchParams)
    if ('issues' in page) return problem('invalid_parameters', { errors: page.issues })
    const found = await readEvents(store, page)
    const next = found.more ? nextPage(page, found.events.at(-1)) : undefined
    return reply(200, `[${found.events.map(eventToJson).join(',')}]`, {
      'Content-Type': 'application/json',
      ...(next === undefined ? {} : { Link: `<${next}>; rel="next"` }),
    })
  }
}
