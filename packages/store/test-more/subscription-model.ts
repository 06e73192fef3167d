/** A subscription as it should be, small and slow: what became of each event, in maps. The test of a property compares both. */
import type { SettleAction, SettleResult, SubscriptionOrder } from '@sekali/core/subscription'

interface Held {
  /** The grant that has it, or had it last. */
  grant: string
  /** The worker has given it back. */
  isBack: boolean
  /** Others may be given it. */
  isDue: boolean
  /** Deliveries that count. */
  attempt: number
}

export class Model {
  readonly held = new Map<number, Held>()
  readonly settled = new Set<number>()
  readonly dead: number[] = []
  readonly #sourceOf: (seq: number) => string
  readonly #order: SubscriptionOrder
  readonly #deliveriesMax: number
  #events = 0

  constructor(order: SubscriptionOrder, deliveriesMax: number, sourceOf: (seq: number) => string) {
    this.#order = order
    this.#deliveriesMax = deliveriesMax
    this.#sourceOf = sourceOf
  }

  get events(): number {
    return this.#events
  }

  add(count: number): void {
    this.#events += count
  }

  /** Up to where all is settled. */
  get floor(): number {
    let floor = 0
    while (this.settled.has(floor + 1)) floor += 1
    return floor
  }

  /** All leases and waits run out, and what was delivered as often as it may is given up. */
  runOut(): void {
    for (const [seq, held] of this.held) {
      held.isDue = true
      if (held.attempt >= this.#deliveriesMax) this.#bury(seq)
    }
  }

  /** Checks a pull, and notes it. Everything that was given back is due. */
  pulled(grant: string, items: readonly { readonly seq: number; readonly attempt: number }[]): void {
    for (const { seq, attempt } of items) {
      const held = this.held.get(seq)
      if (this.settled.has(seq)) throw new Error(`${seq} is settled and was handed out`)
      if (held?.isDue === false) throw new Error(`${seq} is leased and was handed out`)
      if (attempt !== (held?.attempt ?? 0) + 1) throw new Error(`${seq}: attempt ${attempt}`)
      this.#checkOrder(grant, seq)
      this.held.set(seq, { grant, isBack: false, isDue: false, attempt })
    }
    const next = [...Array(this.#events).keys()].find(
      (at) => !this.held.has(at + 1) && !this.settled.has(at + 1),
    )
    const first = items.filter(({ attempt }) => attempt === 1).at(-1)?.seq ?? 0
    if (this.#order !== 'source' && next !== undefined && next + 1 < first)
      throw new Error(`${next + 1} was skipped`)
  }

  settle(action: SettleAction, grant: string, seq: number): SettleResult {
    const held = this.held.get(seq)
    if (held === undefined) return this.settled.has(seq) ? 'already_settled' : 'unknown'
    if (held.grant !== grant) return 'lease_lost'
    if (held.isBack) return 'already_settled'
    if (action === 'ack') this.#settle(seq)
    if (action === 'term') this.#bury(seq)
    if (action === 'extend') held.isDue = false
    if (action === 'release') Object.assign(held, { isBack: true, isDue: true, attempt: held.attempt - 1 })
    if (action === 'nak') {
      Object.assign(held, { isBack: true, isDue: true })
      if (held.attempt >= this.#deliveriesMax) this.#bury(seq)
    }
    return 'done'
  }

  /** Nothing of its line may be out elsewhere, and nothing before it may be unsettled. */
  #checkOrder(grant: string, seq: number): void {
    const line = this.#lineOf(seq)
    if (line === undefined) return
    for (let other = 1; other <= this.#events; other += 1) {
      if (other === seq || this.settled.has(other) || this.#lineOf(other) !== line) continue
      const held = this.held.get(other)
      if (this.#order === 'topic' && held?.grant === grant) continue
      if (held?.isDue === false) throw new Error(`${seq} was handed out beside ${other}`)
      if (other < seq) throw new Error(`${seq} was handed out before ${other}`)
    }
  }

  #lineOf(seq: number): string | undefined {
    if (this.#order === 'none') return undefined
    return this.#order === 'topic' ? '' : this.#sourceOf(seq)
  }

  #settle(seq: number): void {
    this.held.delete(seq)
    this.settled.add(seq)
  }

  #bury(seq: number): void {
    this.#settle(seq)
    this.dead.push(seq)
  }
}
