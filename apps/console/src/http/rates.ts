import { getJsonIfAny, pathOf } from './call.ts'

/** Events a second over time. */
export interface Rates {
  /** Seconds since 1970, of each value. */
  readonly times: readonly number[]
  readonly series: readonly {
    readonly label: string
    /** null is not known. */
    readonly values: readonly (number | null)[]
  }[]
}

interface Sampled {
  readonly started_at: string
  readonly interval_seconds: number
  readonly accepted: readonly (number | null)[]
  readonly stored: readonly (number | null)[]
}

/** Of all topics together, or of one; undefined where the gateway keeps none. */
export async function readRates(topic: string | undefined, signal: AbortSignal): Promise<Rates | undefined> {
  const sampled = await getJsonIfAny<Sampled>(pathOf(['rates'], { topic }), signal)
  return sampled && toRates(sampled)
}

function toRates({ started_at, interval_seconds: step, accepted, stored }: Sampled): Rates {
  const began = Date.parse(started_at) / 1_000
  return {
    times: accepted.map((_, at) => began + (at + 1) * step),
    series: [
      { label: 'accepted', values: accepted },
      { label: 'stored', values: stored },
    ],
  }
}
