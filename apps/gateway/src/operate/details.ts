/**
 * What `/stats` says beside the figures: for how long the first entry in flight has waited, and how many letters are
 * open. Nobody reads it for a sample or a scrape, and those who ask together share it.
 */
import type { Broker } from '@sekali/broker/connect'
import { allowsPattern, allowsTopic, type Grant } from '@sekali/core/access'
import { parsePattern } from '@sekali/core/pattern'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { type CountedLetters, countOpenLetters, type OpenLetters } from '@sekali/store/open-letters'
import { within } from '../clients/deadline.ts'
import { shareReadings } from '../clients/single-flight.ts'
import { longestWait, readWaits, type Waits } from './oldest.ts'
import type { Reading } from './readings.ts'
import type { Visible } from './visible.ts'

interface AllOpenLetters extends OpenLetters {
  /** Of subscriptions. */
  readonly deliveries: number
}

export interface Details {
  /** Of some topics of a reading, in seconds; null if it is not known. Never rejects. */
  longestWait(reading: Reading, visible: Visible): Promise<number | null>
  /**
   * Of the topics that a key may see, and of the subscriptions to such topics alone, as of a reading or later; null if it is
   * not known. Never rejects.
   */
  openLetters(reading: Reading, grant: Grant): Promise<AllOpenLetters | null>
}

export interface DetailsDeps {
  /** Not the one that appends. */
  readonly figuresBroker: Broker
  readonly store: Store
  readonly log: Logger
}

export function createDetails(deps: DetailsDeps, readMs = 1_500): Details {
  // Once for a reading: its pages share it.
  const waitsOf = new WeakMap<Reading, Promise<Waits>>()
  const openOf = new WeakMap<Reading, Promise<CountedLetters | undefined>>()
  const countOpen = shareReadings(() => within(readMs, deps.log, countOpenLetters(deps.store)))

  function readOnce(reading: Reading): Promise<Waits> {
    const waits = waitsOf.get(reading) ?? readWaits(deps, reading.topics ?? [], readMs)
    waitsOf.set(reading, waits)
    return waits
  }

  function countOnce(reading: Reading): Promise<CountedLetters | undefined> {
    const counted = openOf.get(reading) ?? within(readMs, deps.log, countOpen())
    openOf.set(reading, counted)
    return counted
  }

  return {
    async longestWait(reading, { topics, totals }) {
      if (topics === null || totals.inFlight === null) return null
      return longestWait(topics, await readOnce(reading))
    },
    async openLetters(reading, grant) {
      const open = await countOnce(reading)
      if (open === undefined) return null
      let [entries, conflicts, deliveries] = [0, 0, 0]
      for (const [topic, one] of open.ofTopics) {
        if (!allowsTopic(grant, topic)) continue
        entries += one.entries
        conflicts += one.conflicts
      }
      for (const one of open.ofSubscriptions.values()) {
        if (allowsPattern(grant, parsePattern(one.topics))) deliveries += one.deliveries
      }
      return { entries, conflicts, deliveries }
    },
  }
}
