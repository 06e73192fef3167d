/**
 * Single-event publishing against bare node:http that parses the body's JSON and answers: the same requests, 64 at a
 * time, from the same load generator. Ours also validates, waits until Redis has the event on disk, and stores what
 * comes meanwhile, on the same cores.
 */
import { bareHttp } from '../rivals/bare.ts'
import type { Row } from '../row.ts'
import { single } from '../sides/single.ts'

const requests = 30_000

export const singleRow: Row = {
  name: 'single',
  what: 'single-event POST /publish, 64 connections',
  against: 'bare node:http that parses the JSON',
  unit: 'requests/s',
  ours: single({ requests, consumers: 2 }),
  rival: bareHttp({ requests }),
  target: { of: 'ratio', better: 'higher', must: 0.55, aim: 0.7 },
  rounds: 3,
}
