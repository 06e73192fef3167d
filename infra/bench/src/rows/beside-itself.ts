import type { Row } from '../row.ts'
import { type SingleOptions, single } from '../sides/single.ts'

const options = { requests: 30_000, consumers: 2 }

interface Beside
  extends Pick<Row, 'name' | 'what' | 'against'>,
    Pick<SingleOptions, 'keys' | 'scrapeEveryMs' | 'traced'> {
  /** What ours is called. */
  readonly side: string
  readonly must: number
}

/** Single-event publishing with something more, against the same without, in turns: what that costs. */
export const besideItself = ({ name, what, against, side, must, ...more }: Beside): Row => ({
  name,
  what,
  against,
  unit: 'requests/s',
  ours: single({ ...options, ...more }, side),
  rival: single(options, 'sekali'),
  target: { of: 'ratio', better: 'higher', must },
  rounds: 16,
  openings: 8,
})
