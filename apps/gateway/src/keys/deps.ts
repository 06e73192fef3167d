import type { IncomingMessage } from 'node:http'
import type { Broker } from '@sekali/broker/connect'
import { everything, type Grant } from '@sekali/core/access'
import type { Issue } from '@sekali/core/errors'
import { isKeyId } from '@sekali/core/key'
import type { AuthMode } from '@sekali/process/auth'
import type { Store } from '@sekali/store/connect'
import { findKeys, type StoredKey } from '@sekali/store/keys'
import type { Authenticator } from '../access/authenticate.ts'
import { grantOf } from '../access/principals.ts'
import type { Clients } from '../clients/clients.ts'
import { problem } from '../http/problem.ts'
import { moreThan } from './more-than.ts'

export interface KeyDeps {
  readonly store: Store
  readonly broker: Broker
  readonly clients: Clients
  readonly auth: AuthMode
  /** Who lets keys in here; undefined where none are asked for. */
  readonly keys: Pick<Authenticator, 'endKey' | 'refresh'> | undefined
}

/** Why a request may not make a key that may do so much; undefined if it may. */
export function forbidden(request: IncomingMessage, powers: Omit<Grant, 'holder'>): Response | undefined {
  const errors = moreThan(grantOf(request), powers)
  return errors.length === 0 ? undefined : beyondOwn(errors)
}

/** The answer to a wish for a key that may do more than whoever wants it. */
export function beyondOwn(errors: readonly Issue[]): Response {
  const excess = errors.map(({ path, message }) => `${path} ${message}`).join('; ')
  return problem('forbidden', {
    detail: `A key gives no key that may do more than itself: ${excess}.`,
    errors,
  })
}

/**
 * The key of an id, or the answer. Whoever may not do everything gets the same one for a key that may do more than their
 * own and for one that there is not: what there is beyond their own is not theirs to know.
 */
export async function ownedKey(
  store: Store,
  request: IncomingMessage,
  id = '',
): Promise<StoredKey | Response> {
  const key = isKeyId(id) ? (await findKeys(store, [id])).get(id) : undefined
  if (key !== undefined && isWithin(request, key)) return key
  if (moreThan(grantOf(request), everything).length === 0) return problem('unknown_access_key')
  return problem('forbidden', {
    detail: 'There is no such key, or it may do more than yours, and then it is not yours to see or change.',
  })
}

export const isWithin = (request: IncomingMessage, { grant }: StoredKey): boolean =>
  moreThan(grantOf(request), grant).length === 0
