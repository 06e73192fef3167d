// The worker groups of a run: what each subscribes to, and what its workers do.
import { hash } from 'node:crypto'

export interface Plan {
  /** The subscription's name. */
  readonly name: string
  /** What it is made with. */
  readonly config: Readonly<Record<string, unknown>>
  /** Whether the events of a source must come one at a time, in their order. */
  readonly isOrdered: boolean
  /** The only sources that match; undefined when all do. */
  readonly sources?: readonly string[]
  /** Its workers refuse some events again and again, until they are dead letters. */
  readonly refuses: boolean
  /** Events in a pull, at most. */
  readonly max: number
}

/** Short, so that what a dead worker had comes back while the next fault is still far. */
export const leaseSeconds = 2
/** Far more than faults can cost an event, so that only what workers refuse is given up. */
const deliveriesMax = 12

/** One group without order, one in the order of sources, and one of some sources that refuses one event in a hundred. */
export function plansOf(pattern: string, sources: number): readonly Plan[] {
  const prefix = pattern.slice(0, -'.>'.length)
  const some = Array.from(
    { length: Math.ceil(sources / 2) },
    (_, at) => `s${String(at + 1).padStart(2, '0')}`,
  )
  const config = {
    kind: 'pull',
    topics: pattern,
    from: 'start',
    lease_s: leaseSeconds,
    backoff_s: [],
    deliveries_max: deliveriesMax,
  }
  const plan = { isOrdered: false, refuses: false, max: 100 }
  return [
    { ...plan, name: `${prefix}.unordered`, config: { ...config, order: 'none' } },
    { ...plan, name: `${prefix}.ordered`, config: { ...config, order: 'source' }, isOrdered: true },
    {
      ...plan,
      name: `${prefix}.refusing`,
      config: { ...config, order: 'none', filter: { sources: some } },
      sources: some,
      refuses: true,
    },
  ]
}

export const isMatching = ({ sources }: Plan, source: string): boolean => sources?.includes(source) ?? true

const refusedEvery = 100

/** Whether the workers of a group that refuses do so with this event: about one in a hundred, always the same. */
export const isRefused = ({ refuses }: Plan, id: string): boolean =>
  refuses && Number.parseInt(hash('sha1', id, 'hex').slice(0, 8), 16) % refusedEvery === 0
