/**
 * A replay of the same million events over HTTP, in one answer of lines of JSON (`Accept: application/x-ndjson`),
 * against the same COPY. Ours pays for HTTP, JSON and the pages that it reads one by one to bound its memory.
 */
import { copyOut } from '../rivals/copy-out.ts'
import type { Row } from '../row.ts'
import { reading } from '../sides/read.ts'
import { millionEvents } from './read.ts'

export const replayRow: Row = {
  name: 'replay',
  what: 'rows of a replay of the same events as NDJSON',
  against: 'COPY (SELECT …) TO STDOUT',
  unit: 'rows/s',
  ours: reading({ ...millionEvents, as: 'replay' }),
  rival: copyOut(millionEvents),
  target: { of: 'ratio', better: 'higher', must: 0.6, aim: 1 },
  rounds: 2,
  data: 'a million events',
}
