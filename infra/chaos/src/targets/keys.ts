import { createKey, revokeKey, rotateKey } from '@sekali/store/change-keys'
import type { Store } from '@sekali/store/connect'
import { createFirstKey } from '@sekali/store/first-key'

interface Key {
  readonly id: string
  readonly text: string
}

/** Keys of the system, past its HTTP API: no hint tells a gateway of a change. */
export interface Keys {
  /** The key that the load, the readers and the tails send. It may do everything. */
  now(): string
  /** Puts another one in its place. The old one stays good for a while: requests and tails are under way with it. */
  rotate(): Promise<void>
  /** Makes one that may read everything. */
  makeReader(): Promise<Key>
  revoke(id: string): Promise<void>
}

const by = { actor: 'chaos' }
/** Longer than a request may take, its wait for a connection included. */
const oldExpiresInSeconds = 30

export async function createKeys(store: Store): Promise<Keys> {
  let current = madeOr(await createFirstKey(store, { replace: true, ...by }))
  return {
    now: () => current.text,
    async rotate() {
      current = madeOr(await rotateKey(store, current.key.id, oldExpiresInSeconds, by))
    },
    async makeReader() {
      const { topics } = current.key.grant
      const { key, text } = madeOr(await createKey(store, { name: 'reader', scopes: ['read'], topics }, by))
      return { id: key.id, text }
    },
    revoke: async (id) => void (await revokeKey(store, id, by)),
  }
}

function madeOr<Made extends object>(made: Made | string): Made {
  if (typeof made === 'string') throw new Error(`no key: ${made}`)
  return made
}
