import type { SQL } from 'drizzle-orm'
import { sql } from '../postgres/drizzle.ts'
import { checkpoints } from '../postgres/projections-schema.ts'
import { topics } from '../postgres/schema.ts'

/** Up to which seq each topic has been folded, by topic; `null` where that was left out. */
export type AsOf = Readonly<Record<string, number>> | null

/** The same with the epochs of those topics that are not in their first. */
export interface AsOfEpochs {
  readonly asOf: AsOf
  readonly epochs?: Readonly<Record<string, number>>
}

/** What {@link asOf} gives. */
export type AsOfColumn = {
  readonly seqs: Readonly<Record<string, number>>
  readonly epochs: Readonly<Record<string, number>> | null
} | null

export const asOfIn = (column: AsOfColumn): AsOfEpochs => ({
  asOf: column?.seqs ?? null,
  ...(column?.epochs && { epochs: column.epochs }),
})

/** Whether it is wanted; undefined: where there is not too much of it. */
export type WantsAsOf = boolean | undefined

/** Topics beyond which it is left out unless it is wanted: it would be longer than what it comes with. */
const topicsMax = 1_000

/** Of the generation `g`, for {@link asOfIn}. */
export function asOf(isWanted: WantsAsOf): SQL {
  if (isWanted === false) return sql`NULL::json`
  // One more than there may be tells that there are too many, however many there are.
  const limit = isWanted ? sql`` : sql`LIMIT ${topicsMax + 1}`
  const fits = isWanted ? sql`true` : sql`count(*) <= ${topicsMax}`
  return sql`(
    SELECT CASE WHEN ${fits} THEN json_build_object(
      'seqs', coalesce(json_object_agg(t.name, c.seq ORDER BY t.name), '{}'),
      'epochs', json_object_agg(t.name, c.epoch ORDER BY t.name) FILTER (WHERE c.epoch > 1)
    ) END
    FROM (SELECT topic_id, epoch, seq FROM ${checkpoints} WHERE generation_id = g.id ${limit}) c
    JOIN ${topics} t ON t.id = c.topic_id)`
}
