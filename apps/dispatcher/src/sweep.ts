/**
 * What a dispatcher does once a second, whatever is stored: it says that it runs, reads what endpoints there are, looks for what
 * hints did not tell, and sends samples. Now and then it deletes attempts that are old.
 */
import type { TopicName } from '@sekali/core/event'
import { pause } from '@sekali/process/backoff'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { beat } from '@sekali/store/dispatchers'
import { eachChangedHead, type HeadsMark } from '@sekali/store/heads'
import { readTargets, sweepAttempts } from '@sekali/store/push-dispatch'
import type { Endpoints } from './endpoints.ts'
import { dispatcherLimits as limits } from './limits.ts'
import type { Samples } from './samples.ts'

export interface SweepContext {
  readonly store: Store
  readonly log: Logger
  readonly me: { readonly id: string; readonly name: string }
  readonly endpoints: Endpoints
  readonly samples: Samples
  readonly attemptsDays: number
  /** Rejects where PostgreSQL is an old primary. */
  readonly requireNewest: () => Promise<void>
}

/** Sweeps until `signal` is aborted. Never rejects. */
export async function runSweeps(context: SweepContext, signal: AbortSignal): Promise<void> {
  const { log } = context
  const readNews = createNews(context)
  let tidiedAt = performance.now()
  let failures = 0
  while (!signal.aborted) {
    try {
      await sweep(context, readNews)
      if (performance.now() - tidiedAt >= limits.tidyMs) {
        tidiedAt = performance.now()
        await tidy(context, signal)
      }
      failures = 0
    } catch (error) {
      failures += 1
      if (Number.isInteger(Math.log2(failures))) log.warn({ failures, err: error }, 'sweep failed')
    }
    await pause(limits.sweepMs, signal)
  }
}

async function sweep(
  { store, me, endpoints, samples, requireNewest }: SweepContext,
  readNews: () => Promise<void>,
): Promise<void> {
  await requireNewest()
  const dispatchers = await beat(store, me)
  // Before endpoints are taken up: they look at all that is there then, and what comes later is news.
  await readNews()
  endpoints.update(await readTargets(store), dispatchers)
  await samples.take(endpoints.find)
}

/** Tells endpoints of topics that have more than at the last look. */
function createNews({ store, endpoints }: SweepContext): () => Promise<void> {
  const heads = new Map<number, string>()
  let since: HeadsMark | undefined
  return async () => {
    const isFirst = since === undefined // endpoints begin with a look at all there is
    const news: TopicName[] = []
    since = await eachChangedHead(store, since, ({ topicId, topic, head, epoch }) => {
      const now = `${epoch} ${head}`
      if (heads.get(topicId) === now) return
      heads.set(topicId, now)
      news.push(topic)
    })
    if (!isFirst) for (const topic of news) endpoints.onStored(topic)
  }
}

async function tidy({ store, attemptsDays }: SweepContext, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await sweepAttempts(store, attemptsDays)) > 0);
}
