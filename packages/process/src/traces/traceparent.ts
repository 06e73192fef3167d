export interface TraceContext {
  readonly traceId: string
  readonly spanId: string
  readonly isSampled: boolean
}

// A later version may have more behind it. https://www.w3.org/TR/trace-context/#versioning-of-traceparent
const form = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(?:-|$)/

/** Undefined for what is not one: then the request is as if it had brought none. */
export function parseTraceparent(text: string | undefined): TraceContext | undefined {
  const [, traceId, spanId, flags] = form.exec(text ?? '') ?? []
  if (traceId === undefined || spanId === undefined) return undefined
  return { traceId, spanId, isSampled: (Number.parseInt(flags ?? '0', 16) & 1) === 1 }
}

export const formatTraceparent = ({ traceId, spanId }: Omit<TraceContext, 'isSampled'>): string =>
  `00-${traceId}-${spanId}-01`
