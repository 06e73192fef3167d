/**
 * Paging through a topic of a million events with `GET /events?after=`, a thousand at a time, one page after the
 * other, against one COPY of the same columns in the same order. Ours pays for HTTP, JSON and a thousand queries.
 */
import { copyOut } from '../rivals/copy-out.ts'
import type { Row } from '../row.ts'
import { reading } from '../sides/read.ts'

/** Also replayed; see replay.ts. */
export const millionEvents = { topic: 'order', events: 1_000_000 }

export const readRow: Row = {
  name: 'read',
  what: 'rows paging through 1 million events with after=',
  against: 'COPY (SELECT …) TO STDOUT',
  unit: 'rows/s',
  ours: reading({ ...millionEvents, as: 'pages' }),
  rival: copyOut(millionEvents),
  target: { of: 'ratio', better: 'higher', must: 0.5, aim: 0.8 },
  rounds: 2,
  data: 'a million events',
}
