import type { Tracing } from './tracing.ts'

export interface TracingConfig {
  /** Undefined: there are no traces. */
  readonly endpoint: string | undefined
  /** The share of requests without a context that are sampled, from 0 to 1. Those with one say so themselves. */
  readonly ratio: number
}

export async function startTracing(app: string, config: TracingConfig): Promise<Tracing | undefined> {
  if (config.endpoint === undefined) return undefined
  const { createTracing } = await import('./otel.ts')
  return createTracing(app, { endpoint: config.endpoint, ratio: config.ratio })
}
