import { allowsTopic, type Grant } from '@sekali/core/access'
import { seesAll } from '../access/may.ts'
import { totalsOf } from './figures.ts'
import type { Reading } from './readings.ts'

export type Visible = Pick<Reading, 'totals' | 'topics' | 'consumers'>

/**
 * What a key may see of the figures: all, or its topics and their totals. Consumers are the whole system's, so whoever may
 * see some topics alone gets none.
 */
export function visibleTo(grant: Grant, reading: Reading): Visible {
  if (seesAll(grant)) return reading
  const topics = reading.topics?.filter(({ topic }) => allowsTopic(grant, topic)) ?? null
  const isStoreKnown = reading.totals.stored !== null
  const totals = totalsOf(topics ?? [], isStoreKnown, reading.streams !== undefined)
  return { topics, totals, consumers: undefined }
}
