/**
 * Nothing grows with the log: what clients and operators wait for, on a log of five million events and on one of ten
 * thousand. Pages have 100 events; places, times and ids are drawn by chance. The gateways and the consumers are
 * processes of their own on the two logs; one set waits while the other is asked. The figure is the part that grows
 * most.
 */
import type { Row } from '../row.ts'
import { scale } from '../sides/scale.ts'

export const scaleRow: Row = {
  name: 'scale',
  what: 'reading, publishing and starting with 5 million stored, the part that grows most',
  against: '10 thousand stored',
  unit: 'ms',
  ours: scale({ name: 'at 5 million', stored: 5_000_000 }),
  rival: scale({ name: 'at 10 thousand', stored: 10_000 }),
  target: { of: 'worst part', better: 'lower', aim: 1.25 },
  rounds: 3,
  data: 'five million events',
}
