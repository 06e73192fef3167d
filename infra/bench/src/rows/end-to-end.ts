/**
 * The whole of Sekali against the system that it grew from, on the same servers with the same durable settings: from
 * the first byte of HTTP until the last event is accounted for. Both get the same kind of events, five topics, 30 %
 * true repeats. Each publishes in the way it offers: ours in arrays of 500, the report's one event a request, 50 at a
 * time. The report gets fewer events so that a round takes as long; its rate does not depend on their number.
 */
import { reportTopics } from '../events.ts'
import { report } from '../rivals/report.ts'
import type { Row } from '../row.ts'
import { endToEnd } from '../sides/end-to-end.ts'

/** Also measured against COPY; see whole.ts. */
export const sekali = endToEnd({ name: 'sekali', consumers: 2, events: 200_000, topics: reportTopics })

export const endToEndRow: Row = {
  name: 'end-to-end',
  what: 'events from the first byte of HTTP until all are accounted for',
  against: "the report's algorithm",
  unit: 'events/s',
  ours: sekali,
  rival: report({ events: 5_000 }),
  target: { of: 'ratio', better: 'higher', must: 60, aim: 100 },
  rounds: 3,
}
