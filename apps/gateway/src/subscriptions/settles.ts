/**
 * Settles the deliveries of all who work through this process. Those that wait for the turn of a subscription share it: one
 * transaction, whose COMMIT waits for the disk once, whether of one worker or of fifty. Of each client the first goes along
 * before the second of any, so that one that sends many does not keep the others out.
 */
import { Overloaded } from '@sekali/core/errors'
import type { Store } from '@sekali/store/connect'
import { DataRefused } from '@sekali/store/errors'
import { settle as settleDeliveries } from '@sekali/store/settle-deliveries'
import type { SettledItem, SettleItem } from '@sekali/store/subscription-types'
import type { Client } from '../clients/clients.ts'
import type { StoreSlots } from '../read/store-slots.ts'
import type { Turns } from './turns.ts'

export interface Settles {
  /**
   * All of the items or none, in their order. `unknown`: there is no such subscription. Rejects with `StoreUnavailable` or
   * `Overloaded`.
   */
  settle(
    subscription: string,
    items: readonly SettleItem[],
    client?: Client,
  ): Promise<readonly SettledItem[] | 'unknown'>
}

export interface SettlesDeps {
  readonly store: Store
  readonly turns: Turns
  readonly slots: Pick<StoreSlots, 'share'>
}

interface Call {
  readonly items: readonly SettleItem[]
  readonly client: Client | undefined
  /** By `performance.now()`. */
  readonly since: number
  readonly resolve: (settled: readonly SettledItem[] | 'unknown') => void
  readonly reject: (error: unknown) => void
}

/** Of one transaction, unless a single call has more. */
const itemsMax = 1_000
/** Who has waited for longer has given up, or will have; and the subscription has more than it can take. */
const waitMsMax = 5_000

export function createSettles({ store, turns, slots }: SettlesDeps): Settles {
  /** By subscription, in order of arrival. */
  const waiting = new Map<string, readonly Call[]>()

  async function settleSome(name: string): Promise<void> {
    const oldest = performance.now() - waitMsMax
    const { inTime = [], late = [] } = Object.groupBy(waiting.get(name) ?? [], ({ since }) =>
      since < oldest ? 'late' : 'inTime',
    )
    for (const { reject } of late) reject(new Overloaded('too many settles wait for the subscription'))
    const { together, left } = choose(inTime)
    if (left.length === 0) waiting.delete(name)
    else {
      waiting.set(name, left)
      void turns.take(name, () => settleSome(name))
    }
    if (together.length > 0) await settleAll(name, together)
  }

  async function settleAll(name: string, together: readonly Call[]): Promise<void> {
    const items = together.flatMap((call) => call.items)
    try {
      // Of no client: by rounds each has had its share.
      const settled = await slots.share(undefined, () => settleDeliveries(store, { name, items }))
      let from = 0
      for (const { items: own, resolve } of together) {
        const to = from + own.length
        resolve(settled === 'unknown' ? settled : settled.slice(from, to))
        from = to
      }
    } catch (error) {
      const isOnesFault = error instanceof DataRefused && together.length > 1
      for (const call of together) {
        if (isOnesFault) void turns.take(name, () => settleAll(name, [call]))
        else call.reject(error)
      }
    }
  }

  return {
    settle(name, items, client) {
      const { promise, resolve, reject } = Promise.withResolvers<readonly SettledItem[] | 'unknown'>()
      const before = waiting.get(name)
      const call = { items, client, since: performance.now(), resolve, reject }
      waiting.set(name, [...(before ?? []), call])
      if (before === undefined) void turns.take(name, () => settleSome(name))
      return promise
    },
  }
}

/** Which calls share a transaction. None have a token in common: of two that settle the same, the second is told so. */
function choose(calls: readonly Call[]): { together: readonly Call[]; left: readonly Call[] } {
  const together = new Set<Call>()
  const tokens = new Set<string>()
  let count = 0
  for (const call of inRounds(calls)) {
    if (count > 0 && count + call.items.length > itemsMax) break
    if (call.items.some(({ token }) => tokens.has(token))) continue
    for (const { token } of call.items) tokens.add(token)
    count += call.items.length
    together.add(call)
  }
  return {
    together: calls.filter((call) => together.has(call)),
    left: calls.filter((call) => !together.has(call)),
  }
}

/** The first call of each client, then the second of each, and so on. */
function inRounds(calls: readonly Call[]): Call[] {
  const countOf = new Map<Client | undefined, number>()
  const rounds = calls.map((call) => {
    const round = countOf.get(call.client) ?? 0
    countOf.set(call.client, round + 1)
    return { round, call }
  })
  return rounds.sort((a, b) => a.round - b.round).map(({ call }) => call)
}
