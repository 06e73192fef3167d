/**
 * What of a subscription never changes, kept for a few seconds, so that a pull and a settle are one query each. One that was
 * deleted and made anew may have other topics meanwhile: so what was pulled is looked at once more before it goes out.
 */
import { parsePattern, type TopicPattern } from '@sekali/core/pattern'
import type { Store } from '@sekali/store/connect'
import { findSubscription } from '@sekali/store/read-subscriptions'

export interface KnownSubscription {
  readonly id: number
  readonly name: string
  readonly kind: 'pull' | 'push'
  readonly topics: TopicPattern
}

export interface KnownSubscriptions {
  /** What is known of it without asking. */
  get(name: string): KnownSubscription | undefined
  /** Asks PostgreSQL; `undefined` if there is none. Rejects with `StoreUnavailable`. */
  read(name: string): Promise<KnownSubscription | undefined>
  /** It was changed, or is not what it was. */
  forget(name: string): void
}

const keptMs = 5_000
/** There are no more subscriptions. */
const keptMax = 1_000

export function createKnownSubscriptions(store: Store): KnownSubscriptions {
  const kept = new Map<string, { readonly known: KnownSubscription; readonly until: number }>()
  const reads = new Map<string, Promise<KnownSubscription | undefined>>()

  async function find(name: string): Promise<KnownSubscription | undefined> {
    const until = performance.now() + keptMs
    const found = await findSubscription(store, name)
    if (found === undefined) return undefined
    const known = { id: found.id, name, kind: found.kind, topics: parsePattern(found.topics) }
    const [oldest] = kept.keys()
    if (kept.size >= keptMax && oldest !== undefined) kept.delete(oldest)
    kept.delete(name) // so that it comes last
    kept.set(name, { known, until })
    return known
  }

  return {
    get(name) {
      const found = kept.get(name)
      return found !== undefined && found.until > performance.now() ? found.known : undefined
    },
    read(name) {
      const known = reads.get(name)
      if (known !== undefined) return known
      const reading = find(name).finally(() => {
        if (reads.get(name) === reading) reads.delete(name)
      })
      reads.set(name, reading)
      return reading
    },
    forget(name) {
      kept.delete(name)
      reads.delete(name) // what is being read may be what it was before
    },
  }
}
