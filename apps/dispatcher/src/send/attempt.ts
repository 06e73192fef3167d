/** One attempt, from the request to what becomes of its events. */
import type { AttemptReport } from '@sekali/store/push-types'
import { webhookLimits } from '@sekali/webhook/limits'
import { delayAfter, isBusy, retryAfterOf } from './delay.ts'
import { wordOf } from './errors.ts'
import { beginningOf, type Line, type Reply } from './post.ts'
import type { Outgoing } from './request.ts'

export interface Attempted {
  readonly report: AttemptReport & { readonly retryAfterSeconds?: number | undefined }
  /** Seconds before the next attempt; `undefined` where there is none to come, or none is needed. */
  readonly delaySeconds: number | undefined
}

export interface AttemptContext {
  readonly line: Line
  readonly url: string
  readonly timeoutMs: number
  readonly retrySeconds: readonly number[]
  /** In the request. */
  readonly events: number
  readonly signal: AbortSignal
}

/** Sends, and says what came of it. `undefined` where the process has to leave first. Never rejects. */
export async function attempt(
  { line, url, timeoutMs, retrySeconds, events, signal }: AttemptContext,
  outgoing: Outgoing,
  kind: AttemptReport['kind'],
  number: number,
): Promise<Attempted | undefined> {
  const began = performance.now()
  let reply: Reply | undefined
  let error: string | null = null
  try {
    const { headers, body, hidden } = outgoing
    reply = await line.post({ headers, body, timeoutMs, hidden, signal })
    error = errorOf(reply.status)
  } catch (thrown) {
    if (signal.aborted) return undefined
    error = wordOf(thrown)
  }
  const isDelivered = error === null
  const retryAfterSeconds = isBusy(reply?.status) ? retryAfterOf(headerOf(reply, 'retry-after')) : undefined
  const delaySeconds =
    isDelivered || kind === 'test' ? undefined : delayAfter(number, retrySeconds, retryAfterSeconds)
  return {
    delaySeconds,
    report: {
      kind,
      state: isDelivered ? 'delivered' : 'failed',
      status: reply?.status ?? null,
      error,
      durationMs: performance.now() - began,
      request: { url, headers: outgoing.shown },
      response: reply === undefined ? null : responseOf(reply, isDelivered, events),
      retryInSeconds: (kind === 'event' && delaySeconds) || null,
      retryAfterSeconds,
    },
  }
}

/**
 * What of an answer is kept with each event of its request: of one that says that all is well nobody wants much, and of one to
 * hundreds of events each copy is a small one.
 */
function responseOf(
  { headers, body, cut }: Reply,
  isDelivered: boolean,
  events: number,
): AttemptReport['response'] {
  const { responseBytesMax, deliveredBytesMax } = webhookLimits
  const share = isDelivered ? 0 : Math.floor(responseBytesMax / events)
  const beginning = beginningOf(body, Math.max(deliveredBytesMax, share))
  return { headers, body: beginning, cut: cut || beginning !== body }
}

const headerOf = (reply: Reply | undefined, name: string): string | undefined =>
  [reply?.headers[name]].flat()[0]

function errorOf(status: number): string | null {
  if (status >= 200 && status < 300) return null
  return status >= 300 && status < 400 ? `redirect ${status}, which is not followed` : `status ${status}`
}
