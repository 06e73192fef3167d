/**
 * Settles what was pulled. One request is under way at a time; what is settled meanwhile goes along with the next. So a
 * worker of many short jobs sends few requests, and one of long jobs waits for nobody.
 */
import { type SettleAction, type SettleResult, subscriptionLimits } from '@sekali/core/subscription'
import { type Connection, call, jsonOf } from '../connection/connection.ts'
import type { Retry } from '../connection/retry.ts'

export interface Settlement {
  readonly token: string
  readonly do: SettleAction
  readonly delay_s?: number | undefined
  readonly reason?: string | undefined
}

interface Settled {
  readonly items: readonly { readonly result: SettleResult }[]
}

interface Waiting {
  readonly item: Settlement
  readonly resolve: (result: SettleResult) => void
  readonly reject: (error: unknown) => void
}

/** Settles one token. Rejects with what ended the retries: then it may or may not be settled, and to ask again is safe. */
export type Settle = (item: Settlement) => Promise<SettleResult>

/** The gateway takes 256 KiB. */
const bytesMax = 200_000

/** How many of them fit into a request: at least one. */
function batchOf(waiting: readonly Waiting[]): number {
  let bytes = 0
  const end = waiting.findIndex(({ item: { token, reason = '' } }, at) => {
    bytes += token.length + 3 * reason.length + 100
    return bytes > bytesMax || at === subscriptionLimits.settleItemsMax
  })
  return end < 0 ? waiting.length : end
}

export function createSettler(
  connection: Connection,
  path: string,
  onRetry: ((retry: Retry) => void) | undefined,
): Settle {
  const waiting: Waiting[] = []
  let isSending = false

  async function sendAll(): Promise<void> {
    isSending = true
    await Promise.resolve() // what is settled in the same moment goes along
    while (waiting.length > 0) await send(waiting.splice(0, batchOf(waiting)))
    isSending = false
  }

  async function send(batch: readonly Waiting[]): Promise<void> {
    const body = JSON.stringify({ items: batch.map(({ item }) => item) })
    try {
      const answer = await call(connection, `${path}/settle`, { method: 'POST', body }, { onRetry })
      const { items } = jsonOf<Settled>(answer, (value) => 'items' in value)
      for (const [at, { resolve }] of batch.entries()) resolve(items[at]?.result ?? 'unknown')
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (!isSending) void sendAll()
    })
}
