import { payloadOf } from '../../src/clients/content.ts'
import { fact, rowOf } from '../evidence.ts'
import { type Breach, renumbered, withLog } from './broken.ts'

/** Runs whose log lacks an event, or holds one twice, changed, unsent or out of order. */
export const ofLog: readonly Breach[] = [
  [
    'an acknowledged event is not in the log',
    'every acknowledged event is stored',
    /orders b-3 was acknowledged/,
    () => withLog((log) => log.slice(0, -1)),
  ],
  [
    'an event is in the log twice',
    'no event is stored twice',
    /orders a-1 is in the log a second time, as seq 7/,
    () => withLog((log) => [...log, rowOf(fact('a', 1), 7)]),
  ],
  [
    'an event that nobody answered is in the log twice',
    'no event is stored twice',
    /b-4/,
    () => withLog((log) => [...log, rowOf(fact('b', 4), 7), rowOf(fact('b', 4), 8)]),
  ],
  [
    'the log has an event that nobody sent',
    'nothing is stored that was never sent',
    /seq 7 is c-1/,
    () => withLog((log) => [...log, rowOf(fact('c', 1), 7)]),
  ],
  [
    'a payload lost a digit',
    'nothing changed on the way',
    /seq 1 \(a-1\) has another payload/,
    () => withLog((log) => log.map((row) => ({ ...row, payload: row.payload.replace('.10', '.1') }))),
  ],
  [
    'the other content of a conflict won',
    'nothing changed on the way',
    /a-2/,
    () =>
      withLog((log) =>
        log.map((row) => (row.id === 'a-2' ? { ...row, payload: payloadOf(fact('a', 2), 1) } : row)),
      ),
  ],
  [
    'a source changed',
    'nothing changed on the way',
    /has the source x/,
    () => withLog((log) => log.map((row) => ({ ...row, source: 'x' }))),
  ],
  [
    'a timestamp changed',
    'nothing changed on the way',
    /has the timestamp/,
    () => withLog((log) => log.map((row) => ({ ...row, timestamp: '2026-01-01T00:00:00.000000Z' }))),
  ],
  [
    'a seq is missing',
    'seq has no gap',
    /b-3 has seq 7, not 6/,
    () => withLog((log) => log.map((row) => (row.seq === 6 ? { ...row, seq: 7 } : row))),
  ],
  [
    'two events of a source changed places',
    'the order of each source',
    /seq 3 is a-1, after a-2/,
    () => withLog(([a1, b1, a2, ...rest]) => renumbered([a2, b1, a1, ...rest])),
  ],
]
