/** Keys as the API has them, without their texts. */

import type { Scope } from '@sekali/core/access'
import type { Tone } from '../../components/basics.tsx'

export interface Key {
  readonly id: string
  readonly name: string
  readonly status: 'live' | 'expired' | 'revoked'
  readonly scopes: readonly Scope[]
  readonly topics: readonly string[]
  readonly source?: string
  readonly events_per_second?: number
  readonly bytes_per_second?: number
  readonly created_at: string
  readonly created_by: string
  readonly expires_at: string | null
  readonly revoked_at: string | null
  readonly last_used_at: string | null
  readonly successor: string | null
}

/** A key that has just been made: `key` is its text, which no other answer has. */
export interface MadeKey extends Key {
  readonly key: string
}

export const tones: Readonly<Record<Key['status'], Tone>> = {
  live: 'ok',
  expired: 'unknown',
  revoked: 'unknown',
}
