/**
 * What a process counts, in the text format of Prometheus.
 *
 * Two kinds. What happens is counted as it happens: once a request, pack or turn, never once an event, because a count
 * costs as much as a part of an event does. What there is, is read when somebody asks: figures of topics, memory, pools.
 * A figure that is unknown has no sample. A 0 in its place would say that all is well while nobody knows.
 */
import Counter from '@prometheus-io/client/lib/counter.js'
import Gauge from '@prometheus-io/client/lib/gauge.js'
import Histogram from '@prometheus-io/client/lib/histogram.js'
import Registry from '@prometheus-io/client/lib/registry.js'

/** A value with its labels; `null` or `undefined` is unknown. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number | null | undefined
}

/** The name, in base units, and what it says. A counter's ends with `_total`. */
export type Named = readonly [name: string, help: string]

export interface Metrics {
  readonly contentType: string
  /** Counts what happens. All `values` of the label are there from the start, so that the first of each is a rise. */
  counter<Value extends string>(
    named: Named,
    label: { readonly name: string; readonly values: readonly Value[] },
  ): (value: Value) => void
  /** Counts what is measured, in buckets with these upper bounds. */
  histogram(named: Named, buckets: readonly number[]): (value: number) => void
  /** The same, apart by the values of a label. */
  histogramBy<Value extends string>(
    named: Named,
    buckets: readonly number[],
    label: { readonly name: string; readonly values: readonly Value[] },
  ): (value: Value, measured: number) => void
  /** Is read at each scrape. A single number has no labels; all samples have the labels that the first one has. */
  read(
    kind: 'counter' | 'gauge',
    named: Named,
    samples: () => Sample['value'] | Iterable<Sample>,
    labels?: readonly string[],
  ): void
  /** Runs at each scrape before anything is read. It must not reject, and must bound its own time. */
  beforeScrape(refresh: () => Promise<void>): void
  /** All of it as text. Whoever asks while others wait gets what they get. */
  scrape(): Promise<string>
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const refreshers: (() => Promise<void>)[] = []
  let current: Promise<string> | undefined

  async function scrape(): Promise<string> {
    await Promise.all(refreshers.map((refresh) => refresh()))
    return await registry.metrics()
  }

  return {
    contentType: registry.contentType,
    counter: ([name, help], label) => {
      const counter = new Counter({ name, help, registers, labelNames: [label.name] })
      const byValue = new Map(label.values.map((value) => [value, counter.labels(value)]))
      for (const child of byValue.values()) child.inc(0)
      return (value) => byValue.get(value)?.inc()
    },
    histogram: ([name, help], buckets) => {
      const histogram = new Histogram({ name, help, registers, buckets: [...buckets] })
      return (value) => histogram.observe(value)
    },
    histogramBy: ([name, help], buckets, label) => {
      const config = { name, help, registers, buckets: [...buckets], labelNames: [label.name] }
      const histogram = new Histogram(config)
      const byValue = new Map(label.values.map((value) => [value, histogram.labels(value)]))
      for (const value of label.values) histogram.zero({ [label.name]: value })
      return (value, measured) => byValue.get(value)?.observe(measured)
    },
    read: (kind, [name, help], samples, labels = []) => {
      const config = { name, help, registers, labelNames: [...labels] }
      if (kind === 'counter') {
        const collect = (): void => fill(counter, samples(), (of, value) => counter.inc(of, value))
        const counter: InstanceType<typeof Counter> = new Counter({ ...config, collect })
      } else {
        const collect = (): void => fill(gauge, samples(), (of, value) => gauge.set(of, value))
        const gauge: InstanceType<typeof Gauge> = new Gauge({ ...config, collect })
      }
    },
    beforeScrape: (refresh) => void refreshers.push(refresh),
    scrape: () => {
      current ??= scrape().finally(() => {
        current = undefined
      })
      return current
    },
  }
}

type Samples = ReturnType<Parameters<Metrics['read']>[2]>

/** Puts samples in the place of those of the scrape before. */
function fill(
  metric: Pick<InstanceType<typeof Gauge>, 'reset' | 'remove'>,
  samples: Samples,
  add: (labels: Record<string, string>, value: number) => void,
): void {
  metric.reset()
  metric.remove({}) // without labels, a reset makes it 0
  const all = typeof samples === 'object' && samples !== null ? samples : [{ value: samples }]
  for (const { labels, value } of all) if (value != null) add({ ...labels }, value)
}
