import { getJson, pathOf } from './call.ts'

/** Events a second; null is not known. */
type Values = readonly (number | null)[]

/** Events a second over time. */
export interface Rates {
  /** Seconds since 1970, of each value: the end of its interval. */
  readonly times: readonly number[]
  /** What the newest value is the mean of, in seconds. */
  readonly newestSeconds: number
  readonly series: readonly { readonly label: string; readonly values: Values }[]
}

interface Sampled {
  /** null while no interval is over. */
  readonly started_at: string | null
  readonly interval_seconds: number
  /** null while there is none. */
  readonly newest_seconds: number | null
  readonly accepted: Values
  readonly stored: Values
}

interface SampledTopic {
  readonly topic: string
  readonly accepted: Values
}

interface SampledTopics {
  readonly topics: readonly SampledTopic[]
}

/** Of all topics together, or of one. */
export async function readRates(topic: string | undefined, signal: AbortSignal): Promise<Rates> {
  const path = pathOf(['rates'], { topic })
  const {
    started_at: startedAt,
    interval_seconds: step,
    newest_seconds: newest,
    accepted,
    stored,
  } = await getJson<Sampled>(path, signal)
  const began = startedAt === null ? 0 : Date.parse(startedAt) / 1_000
  return {
    times: startedAt === null ? [] : accepted.map((_, at) => began + (at + 1) * step),
    newestSeconds: newest ?? step,
    series: [
      { label: 'accepted', values: accepted },
      { label: 'stored', values: stored },
    ],
  }
}

/** How long after it is due a value may come. */
const lateSeconds = 30

/** Ends what is too old to be of now, or from before `awaySince`, with a value that is not known. Times are ms. */
export function upToNow(rates: Rates, nowMs: number, awaySince: number | undefined): Rates {
  const last = rates.times.at(-1)
  if (last === undefined) return rates
  const isLate = nowMs / 1_000 - last > rates.newestSeconds + lateSeconds
  if (!isLate && (awaySince === undefined || last * 1_000 >= awaySince)) return rates
  return {
    ...rates,
    times: [...rates.times, Math.max(last + 1, nowMs / 1_000)],
    series: rates.series.map(({ label, values }) => ({ label, values: [...values, null] })),
  }
}

/** Of how long the newest value is, and until when. */
export function newestWords({ times, newestSeconds }: Rates, nowMs: number): string {
  const agoSeconds = Math.round(nowMs / 1_000 - (times.at(-1) ?? 0))
  const width = Math.round(newestSeconds)
  return agoSeconds <= width ? `in the last ${width} s` : `in ${width} s, until ${agoSeconds} s ago`
}

/** What was accepted a second in each minute, by topic, of the topics that some topics and patterns name. */
export async function readRatesOfTopics(
  patterns: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Values>> {
  const rates = new Map<string, Values>()
  for (const pattern of patterns) {
    const path = pathOf(['rates'], { topic: pattern })
    const sampled = await getJson<SampledTopics | SampledTopic>(path, signal)
    const topics = 'topics' in sampled ? sampled.topics : [sampled]
    for (const { topic, accepted } of topics) rates.set(topic, accepted)
  }
  return rates
}
