import type { RowResult } from '../src/heat.ts'
import type { Measure, Row, Side } from '../src/row.ts'

const side = (name: string): Side => ({
  name,
  open: () => Promise.reject(new Error('nobody opens this one')),
})

export const row = (differs: Partial<Row> = {}): Row => ({
  name: 'commit',
  what: 'rows',
  against: 'COPY',
  unit: 'rows/s',
  ours: side('ours'),
  rival: side('COPY'),
  target: { of: 'ratio', better: 'higher', must: 0.8, aim: 1 },
  rounds: 3,
  ...differs,
})

export const measures = (...values: number[]): Measure[] =>
  values.map((value) => ({
    value,
    clockSeconds: 2,
    cpu: { postgres: 1, bench: 0.5, redis: 0 },
    foreign: 0.02,
  }))

export const result = (ours: number[], rival: number[], differs: Partial<Row> = {}): RowResult => ({
  row: row(differs),
  ours: measures(...ours),
  rival: measures(...rival),
})
