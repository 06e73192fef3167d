import { getJsonIfAny, pathOf } from './call.ts'

/** Events a second; null is not known. */
type Values = readonly (number | null)[]

/** Events a second over time. */
export interface Rates {
  /** Seconds since 1970, of each value: the end of its interval. */
  readonly times: readonly number[]
  readonly series: readonly { readonly label: string; readonly values: Values }[]
}

interface Sampled {
  /** null while no interval is over. */
  readonly started_at: string | null
  readonly interval_seconds: number
  readonly accepted: Values
  readonly stored: Values
}

interface SampledTopics {
  readonly topics: readonly { readonly topic: string; readonly accepted: Values }[]
}

/** Of all topics together, or of one; undefined where the gateway keeps none. */
export async function readRates(topic: string | undefined, signal: AbortSignal): Promise<Rates | undefined> {
  const sampled = await getJsonIfAny<Sampled>(pathOf(['rates'], { topic }), signal)
  if (sampled === undefined) return undefined
  const { started_at: startedAt, interval_seconds: step, accepted, stored } = sampled
  const began = startedAt === null ? 0 : Date.parse(startedAt) / 1_000
  return {
    times: startedAt === null ? [] : accepted.map((_, at) => began + (at + 1) * step),
    series: [
      { label: 'accepted', values: accepted },
      { label: 'stored', values: stored },
    ],
  }
}

/** What was accepted a second in each minute, by topic, of the topics that a pattern matches. */
export async function readRatesOfTopics(
  pattern: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Values>> {
  const sampled = await getJsonIfAny<SampledTopics>(pathOf(['rates'], { topic: pattern }), signal)
  return new Map(sampled?.topics.map(({ topic, accepted }) => [topic, accepted]))
}
