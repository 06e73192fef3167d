/**
 * Sixteen gateways and sixteen consumers against two and two: what a publish costs Redis must not grow with those who are
 * there. Redis works on one core, and it is the one part of which there can be no second.
 */
import type { Row } from '../row.ts'
import { fleet } from '../sides/fleet.ts'

export const fleetRow: Row = {
  name: 'fleet',
  what: "publishes that Redis's processor and its writes to clients are enough for, 16 gateways and 16 consumers",
  against: '2 gateways and 2 consumers',
  unit: 'publishes',
  ours: fleet({ name: '16 and 16', gateways: 16, consumers: 16 }),
  rival: fleet({ name: '2 and 2', gateways: 2, consumers: 2 }),
  target: { of: 'worst part', better: 'higher', must: 0.9, aim: 1 },
  rounds: 3,
}
