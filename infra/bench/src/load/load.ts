/**
 * The load generator is a process of its own, so that it does not share an event loop with what it measures. All
 * bodies are made before the clock starts. load-worker.ts is its side.
 */
import type { Workload } from '../events.ts'
import { startWorker } from './worker.ts'

export interface LoadTarget {
  readonly url: string
  readonly connections: number
  /** Events in a request: 1 sends an object, more send an array. */
  readonly batch: number
  /** Sent with each request, if there is one. */
  readonly key?: string | undefined
}

export interface Prepare {
  readonly target: LoadTarget
  readonly workload: Workload
}

export interface Go {
  /** Begins again from the first body until this time has passed. Without it, each body is sent once. */
  readonly forMs?: number
}

export interface Sent {
  /** On the machine's monotonic clock. */
  readonly startedAt: number
  readonly endedAt: number
  readonly requests: number
  readonly events: number
  /** How often the answer was "not now". */
  readonly refusals: number
}

export interface Load extends AsyncDisposable {
  readonly pid: number
  prepare(target: LoadTarget, workload: Workload): Promise<void>
  /** Sends what was prepared. Resolves when everything has been answered with a yes. */
  go(forMs?: number): Promise<Sent>
}

export function startLoad(): Load {
  const worker = startWorker(new URL('./load-worker.ts', import.meta.url))
  return {
    pid: worker.pid,
    prepare: (target, workload) => worker.call<void>({ target, workload } satisfies Prepare),
    go: (forMs) => worker.call<Sent>((forMs === undefined ? {} : { forMs }) satisfies Go),
    [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose](),
  }
}
