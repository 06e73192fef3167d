import { held, soundRun } from '../evidence.ts'
import { type Breach, broke } from './broken.ts'

/** Runs that did not recover, lost a process, leaked, let one client starve others or took poison. */
export const ofService: readonly Breach[] = [
  [
    'it never drained',
    'it came back',
    /2 pending/,
    () => broke({ drain: { ms: undefined, msMax: 15_000, left: '2 pending' } }),
  ],
  [
    'it drained too late',
    'it came back',
    /15 s/,
    () => broke({ drain: { ms: 16_000, msMax: 15_000, left: '' } }),
  ],
  ['service did not come back', 'it came back', /kill/, () => broke({ unrecovered: ['kill-redis'] })],
  ['a process ended by itself', 'no process ended', /consumer-1/, () => broke({ ended: ['consumer-1'] })],
  [
    'one client makes others wait',
    'no client takes the service',
    /p99 of read 9000 ms/,
    () => broke({ abuses: [{ ...held, abused: { publish: 2, wait: 60, read: 9_000, tail: 20 } }] }),
  ],
  ['connections pile up', 'memory, connections', /9/, () => broke({ leaks: ['9 connections'] })],
  [
    'poison was taken',
    'every answer was one',
    /answered 200/,
    () => {
      const { books, evidence } = soundRun()
      books.notePoison(200, '{}')
      return evidence
    },
  ],
]
