/** How the functions of the schema `operations` are called: the gateway's sessions only read, and these write for it. */
import type { By } from '../audit/append.ts'
import type { Tx } from '../postgres/connect.ts'

/** Sessions only read, unless a transaction says otherwise. */
export const writing = (tx: Tx) => tx.$client.query('SET TRANSACTION READ WRITE')

export const whoOf = ({ actor, client }: By) => [actor, client ?? null]

/** What a function returns. */
export async function outcomeOf<Outcome>(tx: Tx, call: string, values: unknown[]): Promise<Outcome> {
  const { rows } = await tx.$client.query<{ outcome: Outcome }>(`SELECT ${call} AS outcome`, values)
  return rows[0]?.outcome as Outcome
}
