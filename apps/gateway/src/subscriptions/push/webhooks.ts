import type { Allow } from '@sekali/webhook/guard'
import { parseKey, type SealKey } from '@sekali/webhook/key'

/** What a gateway knows of webhooks. It sends none. */
export interface Webhooks {
  /** Seals secrets, which the dispatchers open. Without it no endpoint can be given one. */
  readonly key: SealKey | undefined
  /** Which addresses an endpoint may have beside public ones. */
  readonly allow: Allow
  /** How long a test waits for a dispatcher, beside the time that the endpoint has. Five seconds if it is not said. */
  readonly dispatcherMs?: number
}

/** Throws `InvalidConfig` for a key that is none. Where none is given all but the making of endpoints and secrets goes on. */
export function readWebhooks({
  key,
  allow,
}: {
  readonly key: string | undefined
  readonly allow: Allow
}): Webhooks {
  return { key: key === undefined ? undefined : parseKey(key), allow }
}
