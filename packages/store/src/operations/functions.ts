/** How the functions of the schema `operations` are called: the gateway's sessions only read, and these write for it. */
import type { By } from '../audit/append.ts'
import type { Tx } from '../postgres/connect.ts'

/** Sessions only read, unless a transaction says otherwise. */
export const writing = (tx: Tx) => tx.$client.query('SET TRANSACTION READ WRITE')

export const whoOf = ({ actor, client }: By) => [actor, client ?? null]

/**
 * Whether who asks may do nothing any more: the key was revoked, or it or the token has expired. It locks nothing, so
 * what begins just before a revocation may commit just after it, as a step of an operation may.
 */
export async function hasEnded(tx: Tx, { actor, until }: By): Promise<boolean> {
  const { rows } = await tx.$client.query<{ ended: boolean }>(
    `SELECT coalesce($2::timestamptz <= clock_timestamp(), false) OR ($1 ~ '^[0-9A-Za-z]{12}$' AND NOT EXISTS (
       SELECT FROM access.keys k WHERE k.id = $1 AND k.revoked_at IS NULL
         AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp()))) AS ended`,
    [actor, until?.toISOString() ?? null],
  )
  return rows[0]?.ended === true
}

/** What a function returns. */
export async function outcomeOf<Outcome>(tx: Tx, call: string, values: unknown[]): Promise<Outcome> {
  const { rows } = await tx.$client.query<{ outcome: Outcome }>(`SELECT ${call} AS outcome`, values)
  return rows[0]?.outcome as Outcome
}
