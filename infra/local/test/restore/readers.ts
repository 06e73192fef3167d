/** What a restore is about: events with numbers, and readers who have read up to one of them. */
import { expect } from 'vitest'

export const topic = 'orders.eu.paid'

/** Publishes events `order-FROM` to `order-TO`, whose payload says `era`, and waits until all are stored. */
export async function publish(url: string, from: number, to: number, era = 'first'): Promise<void> {
  const events = Array.from({ length: to - from + 1 }, (_, index) => ({
    topic,
    event_id: `order-${from + index}`,
    timestamp: '2026-11-28T10:00:00Z',
    source: 'shop',
    payload: { era, total: from + index },
  }))
  const headers = { 'content-type': 'application/json', prefer: 'wait=20' }
  const answer = await fetch(`${url}/publish`, { method: 'POST', headers, body: JSON.stringify(events) })
  const text = await answer.text()
  expect(answer.status, text).toBe(200)
  expect(text).not.toContain('"queued"')
}

export const get = async (url: string, path: string): Promise<{ status: number; body: unknown }> => {
  const answer = await fetch(`${url}${path}`)
  return { status: answer.status, body: await answer.json() }
}

/** All of the log, as the text of one page. */
export const pageOf = async (url: string): Promise<string> =>
  await (await fetch(`${url}/events?topic=${topic}&after=0&limit=1000`)).text()
