/**
 * A worker: a process of its own that pulls and settles over HTTP, of all groups at once, and notes what it does. It trusts
 * nobody: it does without our SDK.
 *
 * The first message is its `WorkerOptions`; then `{key}` is the key from now on, and `finish` ends it once all that it has
 * is settled.
 */
import process from 'node:process'
import { type Door, openDoor } from '../clients/door.ts'
import { parseEvents, seenOf } from '../clients/log.ts'
import { pause } from '../clock.ts'
import { createRandom, type Random } from '../random.ts'
import { type Delivered, nowMs, openNotes } from './notes.ts'
import { isRefused, type Plan } from './plan.ts'

export interface WorkerOptions {
  readonly name: string
  readonly url: string
  readonly seed: number
  readonly plans: readonly Plan[]
  /** The file of its notes. */
  readonly notes: string
  /** How long it takes over what it has pulled, at least and at most. */
  readonly workMs: readonly [number, number]
}

/** Below what the door waits for an answer. */
const waitSeconds = 3
const againMs = 150
/** So long it asks what has come of a settle. */
const settleTriesMs = 10_000
/** One batch in so many is settled by the token of the pull. */
const wholeShare = 0.25
const releasedShare = 0.01
const extendedShare = 0.05

const stopping = new AbortController()
let key = process.env.SEKALI_TOKEN
process.once('disconnect', () => process.exit(0))
const begun = Promise.withResolvers<WorkerOptions>()
// One listener from the beginning: of two messages that come together the second would be missed by a later one.
process.on('message', (message: WorkerOptions | 'finish' | { readonly key: string }) => {
  if (message === 'finish') stopping.abort()
  else if ('key' in message) key = message.key
  else begun.resolve(message)
})
const options = await begun.promise
const { name, url, seed, plans, workMs } = options
using notes = openNotes(options.notes)
await using door = openDoor(url, plans.length * 2, () => key)
let asked = 0
await Promise.all(plans.map((plan) => workOn(plan, createRandom(seed, `${name} ${plan.name}`))))
process.disconnect()

async function workOn(plan: Plan, random: Random): Promise<void> {
  while (!stopping.signal.aborted) {
    const pulled = await pull(door, plan, random).catch(() => undefined)
    if (pulled === undefined) await pause(againMs, stopping.signal)
    else if (pulled.items.length > 0) await workOff(plan, pulled, random)
  }
}

interface Pulled {
  readonly grant: string
  readonly items: readonly Delivered[]
}

/** Rejects, or gives undefined, when it is to be tried again later. */
async function pull(door: Door, plan: Plan, random: Random): Promise<Pulled | undefined> {
  const request = { max: random.int(1, plan.max), wait_s: waitSeconds, worker: name }
  const { status, body } = await door.post(`/subscriptions/${plan.name}/pull`, JSON.stringify(request))
  if (status === 204) return { grant: '', items: [] }
  if (status !== 200) {
    if (!isPassing(status)) surprise(`a pull of ${plan.name} was answered ${status}: ${body.slice(0, 200)}`)
    return undefined
  }
  const said = JSON.parse(body) as { token?: string; items: { token: string; attempt: number }[] }
  const events = parseEvents(body)
  if (events.length !== said.items.length) {
    surprise(`a pull of ${said.items.length} events holds ${events.length} in our words`)
    return undefined
  }
  if (events.length === 0) return undefined
  const items = said.items.map(({ token, attempt }, at): Delivered => {
    const event = events[at] as (typeof events)[number]
    const { topic, source, epoch = 1 } = event
    return { topic, epoch, source, ...seenOf(event), attempt, token }
  })
  const grant = said.token ?? ''
  notes.write({ kind: 'got', at: nowMs(), subscription: plan.name, grant, items })
  return { grant, items }
}

/** A refusal that ends by itself: what is down, too busy, or has another key now. */
function isPassing(status: number): boolean {
  return status === 503 || status === 429 || status === 401
}

function surprise(what: string): void {
  notes.write({ kind: 'surprised', at: nowMs(), what })
}

type Item = { readonly token: string; readonly do: string; readonly delay_s?: number }

async function workOff(plan: Plan, { grant, items }: Pulled, random: Random): Promise<void> {
  await pause(random.int(...workMs))
  if (random.chance(extendedShare)) {
    await settle(plan, [{ token: grant, do: 'extend' }])
    await pause(random.int(...workMs))
  }
  const isWhole = items.every(({ id }) => !isRefused(plan, id)) && random.chance(wholeShare)
  if (isWhole) return await settle(plan, [{ token: grant, do: 'ack' }])
  // In any order, in two parts: what is settled first need not be what came first.
  const all = random.shuffled(items).map(({ token, id }): Item => {
    if (isRefused(plan, id)) return { token, do: 'nak', delay_s: 0 }
    return { token, do: random.chance(releasedShare) ? 'release' : 'ack' }
  })
  const half = random.int(0, all.length)
  for (const part of [all.slice(0, half), all.slice(half)]) if (part.length > 0) await settle(plan, part)
}

/** Asks until it is answered, or for so long. */
async function settle(plan: Plan, items: readonly Item[]): Promise<void> {
  const endsAt = nowMs() + settleTriesMs
  while (nowMs() < endsAt) {
    asked += 1
    const number = asked
    notes.write({ kind: 'asked', at: nowMs(), subscription: plan.name, number, items })
    const answer = await door
      .post(`/subscriptions/${plan.name}/settle`, JSON.stringify({ items }))
      .catch(() => undefined)
    if (answer?.status === 200) {
      const { items } = JSON.parse(answer.body) as { items: { token: string; result: string }[] }
      return notes.write({ kind: 'told', at: nowMs(), number, items })
    }
    if (answer !== undefined && !isPassing(answer.status)) {
      return surprise(`a settle of ${plan.name} was answered ${answer.status}: ${answer.body.slice(0, 200)}`)
    }
    await pause(againMs)
  }
}
