import type { IncomingMessage } from 'node:http'
import type { Broker } from '@sekali/broker/connect'
import type { Grant } from '@sekali/core/access'
import type { AuthMode } from '@sekali/process/auth'
import type { Store } from '@sekali/store/connect'
import type { StoredKey } from '@sekali/store/keys'
import { grantOf } from '../access/principals.ts'
import type { Clients } from '../clients/clients.ts'
import { problem } from '../http/problem.ts'
import { moreThan } from './more-than.ts'

export interface KeyDeps {
  readonly store: Store
  readonly broker: Broker
  readonly clients: Clients
  readonly auth: AuthMode
}

/** Why a request may not get a key that may do so much; undefined if it may. */
export function forbidden(
  request: IncomingMessage,
  what: string,
  powers: Omit<Grant, 'holder'>,
): Response | undefined {
  const errors = moreThan(grantOf(request), powers)
  if (errors.length === 0) return undefined
  const excess = errors.map(({ path, message }) => `${path} ${message}`).join('; ')
  const detail = `A key ${what} a key that may do more than itself: ${excess}.`
  return problem('forbidden', { detail, errors })
}

export const isWithin = (request: IncomingMessage, { grant }: StoredKey): boolean =>
  moreThan(grantOf(request), grant).length === 0
