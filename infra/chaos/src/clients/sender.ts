import { pause } from '../clock.ts'
import type { OpenBooks, Outcome } from './books.ts'
import { type Fact, idOf } from './content.ts'
import { type Door, neverSent } from './door.ts'
import { parseReceipt, waiting } from './receipt.ts'

/** An event, in one of its contents. */
export interface Item {
  readonly fact: Fact
  readonly variant: number
}

/** Sends the workload's events, and notes in the books what is answered. */
export function createSender(door: Door, books: OpenBooks, patienceMs: number) {
  /** True once they are acknowledged, false when they are given up or refused. Only one can be waited for. */
  async function send(items: readonly Item[], body: string, waits: boolean): Promise<boolean> {
    const endsAt = performance.now() + patienceMs
    for (let tries = 1; ; tries++) {
      const outcome = await attempt(items, body, waits)
      if (outcome === 'ok') return true
      if (outcome === 'refused' || performance.now() > endsAt) return false
      await pause(Math.min(500, 25 * 2 ** tries) * (0.5 + Math.random() / 2))
    }
  }

  async function attempt(items: readonly Item[], body: string, waits: boolean) {
    const [{ fact, variant }] = items as [Item, ...Item[]]
    const sentAt = Date.now()
    const note = (outcome: Outcome) => {
      for (const one of items) books.note(one.fact, one.variant, outcome, sentAt)
    }
    try {
      const answer = await door.post('/publish', body, waits ? waiting : {})
      const receipt = waits ? parseReceipt(answer, idOf(fact), variant) : undefined
      if (receipt !== undefined) books.noteReceipt(fact, receipt)
      if (waits ? receipt !== undefined && receipt.status !== 'lost' : answer.status === 200) {
        note('ok')
        return 'ok'
      }
      if (answer.status === 503) {
        note('indeterminate')
        return 'unknown'
      }
      note('failed')
      books.surprise(
        `${fact.topic} ${idOf(fact)} was answered ${answer.status}: ${answer.body.slice(0, 200)}`,
      )
      return 'refused'
    } catch (error) {
      note(neverSent(error) ? 'failed' : 'indeterminate')
      return 'unknown'
    }
  }

  async function sendPoison(body: string): Promise<void> {
    const answer = await door.post('/publish', body).catch(() => undefined)
    if (answer !== undefined) books.notePoison(answer.status, body)
  }

  return { send, sendPoison }
}
