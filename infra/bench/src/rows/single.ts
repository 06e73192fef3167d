/**
 * Single-event publishing against bare node:http that parses the body's JSON and answers: the same requests, 64 at a
 * time, from the same load generator. Ours also validates, waits until Redis has the event on disk, and stores what
 * comes meanwhile, on the same cores; or, alone, leaves it in Redis. And what storing single events costs.
 */
import { bareHttp } from '../rivals/bare.ts'
import type { Row } from '../row.ts'
import { single } from '../sides/single.ts'
import { singleCost } from '../sides/single-cost.ts'

const requests = 30_000
const consumers = 2

const againstBare = {
  against: 'bare node:http that parses the JSON',
  unit: 'requests/s',
  rival: bareHttp({ requests }),
  rounds: 3,
} as const

export const singleRow: Row = {
  ...againstBare,
  name: 'single',
  what: 'single-event POST /publish, 64 connections',
  ours: single({ requests, consumers }),
  target: { of: 'ratio', better: 'higher', must: 0.55, aim: 0.7 },
}

export const singleAloneRow: Row = {
  ...againstBare,
  name: 'single-alone',
  what: 'the same of the gateway alone: appended to Redis, and nobody stores',
  ours: single({ requests, consumers: 0 }, 'gateway'),
  target: { of: 'ratio', better: 'higher', must: 0.65, aim: 0.75 },
}

export const singleCostRow: Row = {
  name: 'single-cost',
  what: 'processor time of consumers and PostgreSQL for a single event at full load',
  against: 'nothing',
  unit: 'µs',
  ours: singleCost({ requests, consumers }),
  target: { of: 'value', better: 'lower', must: 25, aim: 12 },
  rounds: 3,
}
