/** Rates of topics as this page has seen them, where the gateway keeps none: from one answer of /stats to the next. */

export interface Sample {
  readonly atMs: number
  /** By topic. */
  readonly accepted: ReadonlyMap<string, number | null>
}

const samplesMax = 60

export const addSample = (samples: readonly Sample[], sample: Sample): readonly Sample[] => [
  ...samples.slice(1 - samplesMax),
  sample,
]

/** Events a second between each sample and the next; null where one of them is not known. */
export function ratesOf(samples: readonly Sample[], topic: string): (number | null)[] {
  return samples.slice(1).map((sample, at) => {
    const before = samples[at]
    const [then, now] = [before?.accepted.get(topic), sample.accepted.get(topic)]
    if (before === undefined || typeof then !== 'number' || typeof now !== 'number') return null
    const seconds = (sample.atMs - before.atMs) / 1_000
    return seconds <= 0 ? null : Math.max(0, now - then) / seconds
  })
}

/** Values between two that are not known: no line goes through them, so each is a point. */
export const lonely = (values: readonly (number | null | undefined)[]): number[] =>
  values.flatMap((value, at) =>
    typeof value === 'number' && typeof values[at - 1] !== 'number' && typeof values[at + 1] !== 'number'
      ? [at]
      : [],
  )
