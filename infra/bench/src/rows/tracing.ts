/**
 * What it costs that one request in a hundred is traced, and sent to a collector that throws it away. How much slower it is
 * without a collector than it was before there were traces, a run of one build cannot say.
 */
import { besideItself } from './beside-itself.ts'

export const tracingRow = besideItself({
  name: 'tracing',
  what: 'single-event POST /publish, 1 % traced',
  against: 'the same without traces',
  side: 'sekali with traces',
  traced: 0.01,
  must: 0.95,
})
