import { scopes } from '@sekali/core/access'
import * as v from 'valibot'
import { InstantMs } from './text.ts'

/** Who a request is of, and what they may do. */
export const Session = v.object({
  auth: v.pipe(
    v.picklist(['keys', 'off']),
    v.description('Whether this gateway asks for keys. Where it does not, everyone may do everything.'),
  ),
  by: v.pipe(
    v.nullable(v.picklist(['key', 'session', 'token'])),
    v.description('What the request has shown; null where nobody asks for anything.'),
  ),
  holder: v.pipe(
    v.nullable(v.string()),
    v.description('The id of the key, or the subject of the token; null where nobody asks.'),
  ),
  scopes: v.array(v.picklist(scopes)),
  topics: v.array(v.string()),
  source: v.optional(v.pipe(v.string(), v.description('The one source that it may publish as.'))),
  until: v.pipe(
    v.nullable(InstantMs),
    v.description('When that ends, as far as is known now; null if it does not.'),
  ),
})

export const exampleSession = {
  auth: 'keys',
  by: 'session',
  holder: '4nJ2bWq8ZxT0',
  scopes: ['read', 'admin'],
  topics: ['>'],
  until: '2025-12-08T22:00:00.000Z',
} as const
