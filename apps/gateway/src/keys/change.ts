/**
 * How keys are made, rotated and revoked. The text of a key goes into one answer and nowhere else: neither the store nor a
 * log ever gets it.
 */
import { NewKey, Rotation } from '@sekali/api/key'
import { announceKey } from '@sekali/broker/keys'
import { withDeadline } from '@sekali/core/deadline'
import { parsePattern } from '@sekali/core/pattern'
import {
  createKey,
  type MadeKey,
  type RotationRefused,
  revokeKey,
  rotateKey,
} from '@sekali/store/change-keys'
import type * as v from 'valibot'
import { endedBearer } from '../access/bearer.ts'
import { byOf } from '../access/by.ts'
import { parseBody } from '../http/parse-body.ts'
import { problem } from '../http/problem.ts'
import { reply, toResponse } from '../http/reply.ts'
import type { Handler } from '../http/router.ts'
import { beyondOwn, forbidden, type KeyDeps, ownedKey } from './deps.ts'
import { shown } from './shown.ts'

/** POST /keys: make a key. */
export function create(deps: KeyDeps): Handler {
  const { store, clients } = deps
  return onlyWithAuth(deps, async (c) => {
    const request = c.env.incoming
    const body = parseBody(request, NewKey, 'invalid_key')
    if ('refused' in body) return toResponse(body.refused)
    const { name, expires_at } = body.value
    if (expires_at !== undefined && Date.parse(expires_at) <= Date.now()) {
      const message = 'must be in the future'
      return problem('invalid_key', { errors: [{ path: 'expires_at', code: 'invalid_expires_at', message }] })
    }
    const powers = powersOf(body.value)
    const refused = forbidden(request, powers)
    if (refused !== undefined) return refused
    const made = await createKey(store, { name, ...powers, expiresAt: expires_at }, byOf(request, clients))
    return typeof made === 'string' ? refusalOf(made) : withText(made, `keys/${made.key.id}`)
  })
}

const powersOf = (body: v.InferOutput<typeof NewKey>) => ({
  scopes: body.scopes,
  topics: body.topics.map(parsePattern),
  ...(body.source !== undefined && { source: body.source }),
  ...(body.events_per_second !== undefined && { eventsPerSecond: body.events_per_second }),
  ...(body.bytes_per_second !== undefined && { bytesPerSecond: body.bytes_per_second }),
})

/** POST /keys/{id}/rotate: make a key that takes the place of another. */
export function rotate(deps: KeyDeps): Handler {
  const { store, clients } = deps
  return onlyWithAuth(deps, async (c) => {
    const request = c.env.incoming
    const body = parseBody(request, Rotation, 'invalid_key')
    if ('refused' in body) return toResponse(body.refused)
    const old = await ownedKey(store, request, c.req.param('id'))
    if (old instanceof Response) return old
    const seconds = body.value.old_expires_in_seconds
    const made = await rotateKey(store, old.id, seconds, byOf(request, clients))
    if (typeof made === 'string') return refusalOf(made)
    await spread(deps, old.id)
    return withText(made, `../${made.key.id}`)
  })
}

const refusals = {
  unknown: 'unknown_access_key',
  ended: 'key_ended',
  succeeded: 'key_succeeded',
  busy: 'key_busy',
  too_many: 'too_many_keys',
} as const

/** What PostgreSQL found, under its locks, when the request was admitted long since. */
function refusalOf(outcome: RotationRefused): Response {
  if (outcome === 'actor_ended') return toResponse(endedBearer())
  if (outcome !== 'beyond_actor') return problem(refusals[outcome])
  const message = 'must be there, and no later than the end of your key or token'
  return beyondOwn([{ path: 'expires_at', code: 'beyond_own_key', message }])
}

/** DELETE /keys/{id}: end a key for good. Safe to repeat. */
export function revoke(deps: KeyDeps): Handler {
  const { store, clients } = deps
  return onlyWithAuth(deps, async (c) => {
    const request = c.env.incoming
    const key = await ownedKey(store, request, c.req.param('id'))
    if (key instanceof Response) return key
    const revoked = await revokeKey(store, key.id, byOf(request, clients))
    if (typeof revoked === 'string') return refusalOf(revoked)
    deps.keys?.endKey(key.id)
    await spread(deps, key.id)
    return reply(200, JSON.stringify(shown(revoked, Date.now())))
  })
}

/** Where nobody is asked for a key, whoever comes by could make one, and would have it still when keys are asked for. */
const onlyWithAuth =
  ({ auth }: KeyDeps, handler: Handler): Handler =>
  (c) =>
    auth === 'keys' ? handler(c) : problem('auth_off')

/** 201 with the key's text. The Location is relative, for a proxy may have put a prefix before the path. */
const withText = ({ key, text }: MadeKey, location: string): Response =>
  reply(201, JSON.stringify({ key: text, ...shown(key, Date.now()) }), {
    'Content-Type': 'application/json',
    Location: location,
  })

/** How long an answer waits for this gateway to have read its keys again. It goes on reading them. */
const refreshMs = 1_000

/** A hint to the other gateways: without it they see the change a little later. This one has seen it when it answers. */
async function spread({ broker, keys }: KeyDeps, id: string): Promise<void> {
  void announceKey(broker, id).catch(() => undefined)
  await withDeadline(keys?.refresh() ?? Promise.resolve(), refreshMs, () => undefined)
}
