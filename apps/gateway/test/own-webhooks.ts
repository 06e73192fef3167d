import { parseAllow } from '@sekali/webhook/guard'
import { parseKey } from '@sekali/webhook/key'
import type { Webhooks } from '../src/subscriptions/push/webhooks.ts'

const webhookKey = '5a'.repeat(32)

/** Endpoints on this machine may be made, and nobody waits long for a dispatcher that is not there. */
export const ownWebhooks: Webhooks = {
  key: parseKey(webhookKey),
  allow: parseAllow('127.0.0.0/8'),
  dispatcherMs: 100,
}
