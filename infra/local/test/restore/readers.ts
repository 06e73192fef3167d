/** What a restore is about: events with numbers, and readers who have read up to one of them. */
import { createClient, LogRestored } from '@sekali/client'
import { eventually } from '@sekali/testkit/eventually'
import { expect } from 'vitest'

const topic = 'orders.eu.paid'

/** As Redis has room for in a node of a stream: it forgets each event of this size alone. */
const large = 'x'.repeat(5_000)

interface Published {
  /** Says in which life of the log it was published. */
  readonly life?: string
  readonly isLarge?: boolean
}

/** Publishes events `order-FROM` to `order-TO` of a life of the log, and waits until all are stored. */
export async function publish(
  url: string,
  from: number,
  to: number,
  published: Published = {},
): Promise<void> {
  const { life = 'first', isLarge = false } = published
  const events = Array.from({ length: to - from + 1 }, (_, index) => ({
    topic,
    event_id: `${life}-${from + index}`,
    timestamp: '2026-11-28T10:00:00Z',
    source: 'shop',
    payload: { total: from + index, ...(isLarge && { text: large }) },
  }))
  const headers = { 'content-type': 'application/json', prefer: 'wait=20' }
  const answer = await fetch(`${url}/publish`, { method: 'POST', headers, body: JSON.stringify(events) })
  const body = (await answer.json()) as { status?: string; receipts?: { status: string }[] }
  expect([answer.status, body.status]).toEqual([200, 'settled'])
  expect(new Set(body.receipts?.map(({ status }) => status))).toEqual(new Set(['stored']))
}

/** Event ids of the whole log, in order. */
export async function logOf(url: string): Promise<string[]> {
  const client = createClient({ baseUrl: url })
  return (await Array.fromAsync(client.replay({ topic, after: 0 }))).map(({ event_id }) => event_id)
}

/** Waits until as many events are folded as the log has. */
export async function allFolded(url: string): Promise<void> {
  const ids = await logOf(url)
  await eventually(async () => {
    const answer = await fetch(`${url}/projections/activity?as_of=true`)
    const { keys } = (await answer.json()) as { keys: { state: { events: number } }[] }
    expect(keys.reduce((sum, { state }) => sum + state.events, 0)).toBe(ids.length)
  })
}

/** The problem with which a page, a tail and the SDK are refused behind a place. They are to agree. */
export async function toldBehind(url: string, place: string): Promise<{ forkedAt: number; cursor: string }> {
  const told = []
  for (const path of [
    `/events?topic=${topic}&after=${place}`,
    `/tail?topic=${topic}&last_event_id=${place}`,
  ]) {
    const answer = await fetch(`${url}${path}`)
    if (answer.status !== 409) {
      await answer.body?.cancel() // a tail would never end
      throw new Error(`${path} is answered ${answer.status}`)
    }
    const { code, forked_at: forkedAt, cursor } = (await answer.json()) as Record<string, unknown>
    told.push({ status: answer.status, code, forkedAt, cursor })
  }
  const client = createClient({ baseUrl: url })
  const failure = await client
    .tail({ topic, cursor: place })
    .next()
    .catch((error: unknown) => error)
  if (!(failure instanceof LogRestored)) throw new Error('the SDK was not told', { cause: failure })
  const { code, forkedAt, cursor } = failure
  told.push({ status: 409, code, forkedAt, cursor })
  expect(told).toEqual(told.map(() => ({ status: 409, code: 'log_restored', forkedAt, cursor })))
  return { forkedAt, cursor }
}

/** Ids of what a page and the SDK's tail bring behind a place, up to the end of the log. */
export async function readBehind(url: string, place: string, count: number): Promise<string[]> {
  const page = await fetch(`${url}/events?topic=${topic}&after=${place}&limit=1000`)
  const ids = ((await page.json()) as { event_id: string }[]).map(({ event_id }) => event_id)
  const tailed: string[] = []
  if (count > 0) {
    for await (const { event_id } of createClient({ baseUrl: url }).tail({ topic, cursor: place })) {
      tailed.push(event_id)
      if (tailed.length === count) break
    }
  }
  expect(tailed).toEqual(ids)
  return ids
}

export interface OpenTail {
  /** Of all that came, in order. */
  readonly ids: readonly string[]
  readonly failure: () => unknown
}

/** The SDK's tail from the first event on, which comes again by itself when the gateway does. */
export function openTail(url: string, signal: AbortSignal): OpenTail {
  const ids: string[] = []
  let failure: unknown
  const client = createClient({ baseUrl: url, retry: { delayMaxMs: 500 } })
  const follow = async () => {
    for await (const { event_id } of client.tail({ topic, from: 'start' }, { signal })) {
      ids.push(event_id)
    }
  }
  follow().catch((error: unknown) => {
    failure = error
  })
  return { ids, failure: () => failure }
}
