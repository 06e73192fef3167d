// Those who subscribe, in a run: workers, who pull, and receivers, who are sent what there is.
import type { Evidence } from '../check/evidence.ts'
import type { OpenBooks } from '../clients/books.ts'
import type { Door } from '../clients/door.ts'
import { type FaultContext, fits } from '../fault.ts'
import type { Target, TargetWith } from '../targets/target.ts'
import { startEndpoints } from './endpoints.ts'
import { nobody, startGroups } from './groups.ts'

export interface Subscribers extends AsyncDisposable {
  readonly ofFaults: Pick<FaultContext, 'workers' | 'receivers'>
  /** All that is left is settled, and judged later. The log must have drained before. */
  finish(
    books: Pick<OpenBooks, 'surprise'>,
  ): Promise<Pick<Evidence, 'groups' | 'endpoints'> & { readonly ended: readonly string[] }>
}

interface SubscribersOptions {
  readonly seed: number
  readonly pattern: string
  readonly sources: number
  readonly hasNoWorkers?: boolean
}

export async function startSubscribers(
  options: SubscribersOptions,
  target: Target,
  door: Door,
): Promise<Subscribers> {
  await using parts = new AsyncDisposableStack()
  const groups = options.hasNoWorkers ? undefined : parts.use(await startGroups(options, target, door))
  const endpoints = hasWebhooks(target) ? parts.use(await startEndpoints(options, target, door)) : undefined
  const opened = parts.move()
  return {
    ofFaults: { workers: groups?.workers ?? nobody, receivers: endpoints?.receivers },
    finish: async (books) => {
      await endpoints?.cut()
      const ofGroups = await groups?.finish(books)
      const ofEndpoints = await endpoints?.finish()
      const ended = [...(groups?.workers.ended() ?? []), ...(endpoints?.receivers.ended() ?? [])]
      return { groups: ofGroups, endpoints: ofEndpoints, ended }
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

const hasWebhooks = (target: Target): target is TargetWith<'webhooks' | 'processes' | 'sql'> =>
  fits({ needs: ['webhooks', 'processes', 'sql'] }, target)
