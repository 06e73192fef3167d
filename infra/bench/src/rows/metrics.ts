/**
 * What it costs that the metrics of gateway and consumers are read every second; Prometheus reads every 15 s. What is
 * counted is counted on both sides: there is no setting that ends that.
 */
import { besideItself } from './beside-itself.ts'

export const metricsRow = besideItself({
  name: 'metrics',
  what: 'single-event POST /publish, with metrics read every second',
  against: 'the same while nobody reads them',
  side: 'sekali, scraped',
  scrapeEveryMs: 1_000,
  must: 0.97,
})
