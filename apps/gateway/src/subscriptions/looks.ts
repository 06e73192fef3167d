/**
 * Looks at subscriptions once a second, whether anybody pulls or not: PostgreSQL notes by it that it answers, which leases count
 * on, and gives up what was delivered too often. Every gateway does it, and twice is no harm.
 */
import { SekaliError } from '@sekali/core/errors'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { lookAtSubscriptions } from '@sekali/store/look-at-subscriptions'
import { repeat } from '../access/repeat.ts'

export interface Looks extends AsyncDisposable {
  start(): void
}

export interface LooksDeps {
  readonly store: Store
  readonly log: Logger
}

const everyMs = 1_000

export function createLooks({ store, log }: LooksDeps): Looks {
  let looks: AsyncDisposable | undefined

  async function look(): Promise<void> {
    try {
      await lookAtSubscriptions(store)
    } catch (err) {
      // PostgreSQL is away, which others say already.
      if (!(err instanceof SekaliError)) log.error({ err }, 'look at subscriptions failed')
    }
  }

  return {
    start() {
      looks ??= repeat(everyMs, look)
    },
    async [Symbol.asyncDispose]() {
      await looks?.[Symbol.asyncDispose]()
    },
  }
}
