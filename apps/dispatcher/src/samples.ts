/** Sends the samples that somebody has asked for; any dispatcher takes them, whatever state the endpoint has. */
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { answerTest, type PushTarget, takeTests } from '@sekali/store/push-dispatch'
import type { AttemptReport } from '@sekali/store/push-types'
import type { SealKey } from '@sekali/webhook/key'
import { SealedElsewhere } from '@sekali/webhook/seal'
import { signingOf } from './endpoint/signing.ts'
import type { DispatchMetrics } from './metrics/attempts.ts'
import { attempt } from './send/attempt.ts'
import type { Line } from './send/post.ts'
import { type Signing, sampleOf } from './send/request.ts'

export interface SamplesDeps {
  readonly store: Store
  readonly log: Logger
  readonly sealKey: SealKey
  readonly metrics: DispatchMetrics
  readonly openLine: (target: PushTarget) => Line
  readonly cut: AbortSignal
}

type TakenTest = Awaited<ReturnType<typeof takeTests>>[number]

export interface Samples extends AsyncDisposable {
  /** Takes those that wait, and sends them. Rejects with `StoreUnavailable` if it cannot take any. */
  take(find: (id: number) => PushTarget | undefined): Promise<void>
}

export function createSamples(deps: SamplesDeps): Samples {
  const { store, log } = deps
  const sending = new Set<Promise<void>>()
  /** Taken, of subscriptions that were made after the last look at them. */
  let unknown: readonly TakenTest[] = []

  async function send(id: number, target: PushTarget): Promise<void> {
    try {
      const report = await reportOf(deps, target)
      if (report !== undefined) await answerTest(store, id, report)
    } catch (error) {
      // Who has asked is told that nothing came.
      log.warn({ subscription: target.name, err: error }, 'test of an endpoint failed')
    }
  }

  return {
    async take(find) {
      const taken = await takeTests(store)
      const known = [...unknown, ...taken].filter(({ subscription }) => find(subscription) !== undefined)
      // What was not known at this look either is of a subscription that is gone.
      unknown = taken.filter((one) => !known.includes(one))
      for (const { id, subscription } of known) {
        const sent = send(id, find(subscription) as PushTarget).finally(() => sending.delete(sent))
        sending.add(sent)
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(sending)
    },
  }
}

async function reportOf(
  { sealKey, metrics, openLine, cut }: SamplesDeps,
  target: PushTarget,
): Promise<AttemptReport | undefined> {
  const { url, timeoutSeconds } = target
  const signing = signingOrWhyNot(sealKey, target)
  if (signing instanceof SealedElsewhere) return unsent(url, signing)
  const outgoing = sampleOf(target, signing, new Date())
  const line = openLine(target)
  const context = { line, url, timeoutMs: timeoutSeconds * 1_000, retrySeconds: [], events: 1, signal: cut }
  const attempted = await attempt(context, outgoing, 'test', 1)
  void line.end()
  if (attempted !== undefined) metrics.onAttempt('test', attempted.report.durationMs / 1_000)
  return attempted?.report
}

function signingOrWhyNot(key: SealKey, target: PushTarget): Signing | SealedElsewhere {
  try {
    return signingOf(key, target)
  } catch (error) {
    if (error instanceof SealedElsewhere) return error
    throw error
  }
}

/** Nothing went out, and whoever asked is told why: events do not go out either. */
const unsent = (url: string, { code, message }: SealedElsewhere): AttemptReport => ({
  kind: 'test',
  state: 'failed',
  status: null,
  error: `${code}: ${message}`,
  durationMs: 0,
  request: { url, headers: {} },
  response: null,
  retryInSeconds: null,
})
