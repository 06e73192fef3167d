// A flood of one topic, what came of it, and what who publishes to another topic notices.
import { percentile } from '../check/abuse-verdict.ts'
import { type Door, type KeyNow, openDoor } from '../clients/door.ts'
import { until } from '../clock.ts'
import { PromiseBroken } from '../fault.ts'

const eventOf = (topic: string, id: string): string =>
  `{"topic":"${topic}","event_id":"${id}","timestamp":"2026-01-01T00:00:00Z","source":"s","payload":{"n":1}}`

const batchEvents = 500
const lanes = 4
const patienceMs = 30_000
const refusedMs = 20

export interface Flood extends AsyncDisposable {
  readonly door: Door
  readonly topic: string
  /** No other flood has it. */
  readonly seed: number
  /** What /stats said was accepted before. */
  readonly acceptedBefore: number
  /** Events that were sent, were answered yes, and got no certain answer. */
  sent: number
  accepted: number
  uncertain: number
}

/** At a gateway, with the key that it asks for, if it asks for one. */
export interface Entrance {
  readonly url: string
  readonly keyNow?: KeyNow | undefined
}

export async function openFlood({ url, keyNow }: Entrance, topic: string, seed: number): Promise<Flood> {
  const door = openDoor(url, lanes + 2, keyNow)
  const acceptedBefore = (await figuresOf(door, topic))?.accepted ?? 0
  const counts = { sent: 0, accepted: 0, uncertain: 0 }
  return {
    ...{ door, topic, seed, acceptedBefore, ...counts },
    [Symbol.asyncDispose]: () => door[Symbol.asyncDispose](),
  }
}

/** One batch. Throws `PromiseBroken` when it is answered as nothing may be. */
async function send(flood: Flood): Promise<'taken' | 'full' | 'unknown'> {
  const { door, topic, seed } = flood
  const from = flood.sent
  flood.sent += batchEvents
  const events = Array.from({ length: batchEvents }, (_, n) => eventOf(topic, `${seed}-${from + n}`))
  const answer = await door.post('/publish', `[${events.join(',')}]`).catch(() => undefined)
  if (answer?.status === 200) {
    flood.accepted += batchEvents
    return 'taken'
  }
  if (answer?.status === 429) return 'full'
  flood.uncertain += batchEvents
  if (answer !== undefined && answer.status !== 503) {
    throw new PromiseBroken(`a flood was answered ${answer.status}: ${answer.body.slice(0, 200)}`)
  }
  return 'unknown'
}

/** Floods the topic until it is full. */
export async function fill(flood: Flood, bound: number, signal: AbortSignal): Promise<void> {
  const isFull = async () =>
    (await Promise.all(Array.from({ length: lanes }, () => send(flood)))).includes('full')
  const filled = await until(isFull, patienceMs, signal)
  if (signal.aborted) return
  // What is under way while a gateway looks: a batch a lane, and a look or two.
  if (!filled || flood.accepted > 2 * bound) {
    throw new PromiseBroken(`${flood.accepted} events of a topic were taken, the bound is ${bound}`)
  }
}

/** Sends on although it is refused, while `work` goes on. */
export async function floodDuring<T>(flood: Flood, work: () => Promise<T>): Promise<T> {
  let isOver = false
  const lane = async () => {
    while (!isOver) {
      if ((await send(flood)) !== 'taken') await new Promise((resolve) => setTimeout(resolve, refusedMs))
    }
  }
  const all = Promise.all(Array.from({ length: lanes }, lane))
  try {
    return await work()
  } finally {
    isOver = true
    await all
  }
}

/** The topic takes events again, what was taken is there, and what was refused is not. */
export async function awaitEnd(flood: Flood, signal: AbortSignal): Promise<void> {
  const isOpen = async () => (await send(flood)) === 'taken'
  if (!(await until(isOpen, patienceMs, signal)) && !signal.aborted) {
    throw new PromiseBroken(
      `a topic that was full took nothing in the ${patienceMs / 1_000} s since it drains`,
    )
  }
  let said = 'nothing'
  const isRight = async () => {
    const figures = await figuresOf(flood.door, flood.topic)
    said = JSON.stringify(figures)
    if (figures?.in_flight !== 0 || figures.accepted === null) return false
    const taken = (figures.accepted ?? 0) - flood.acceptedBefore
    return taken >= flood.accepted && taken <= flood.accepted + flood.uncertain
  }
  if (!(await until(isRight, patienceMs, signal)) && !signal.aborted) {
    throw new PromiseBroken(`${flood.accepted} events of a flood were answered yes, and /stats says ${said}`)
  }
}

async function figuresOf(door: Door, topic: string) {
  const { body } = await door.get(`/stats?topic=${topic}`)
  return (JSON.parse(body) as { topics: Record<string, number | null>[] | null }).topics?.[0]
}

const measureMs = 3_000

/** The p99 of who publishes to another topic at the same gateway, one event after the other, in milliseconds. */
export async function measureBeside({ door, seed }: Flood, topic: string): Promise<number> {
  const times: number[] = []
  for (const endsAt = performance.now() + measureMs; performance.now() < endsAt; ) {
    const since = performance.now()
    const answer = await door.post('/publish', eventOf(topic, `${seed}-${since}`))
    if (answer.status !== 200) throw new PromiseBroken(`beside a flood others were answered ${answer.status}`)
    times.push(performance.now() - since)
  }
  return percentile(times, 0.99) ?? 0
}

/** Publishes one event after the other; resolves with what each is answered: a problem's code, or the status. */
export function openPublisher({ url, keyNow }: Entrance, topic: string, seed: number) {
  const door = openDoor(url, 1, keyNow)
  const codes: string[] = []
  return {
    codes,
    publish: async () => {
      const { status, body } = await door.post('/publish', eventOf(topic, `${seed}-${codes.length}`))
      const code = /"code":"(\w+)"/.exec(body)?.[1] ?? String(status)
      codes.push(code)
      return code
    },
    [Symbol.asyncDispose]: () => door[Symbol.asyncDispose](),
  }
}
