/** What others have written to read Server-Sent Events, each as its manual says, over gateways that come and go. */
import { setTimeout as pause } from 'node:timers/promises'
import { fetchEventSource } from '@microsoft/fetch-event-source'
import { startGateway } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import polyfill from 'event-source-polyfill'
import { EventSource } from 'eventsource'
import { createParser } from 'eventsource-parser'
import { expect, test, vi } from 'vitest'
import { ownSystem } from '../test/system.ts'

interface Following {
  close(): void
  /** Whether it has given up for good. */
  isClosed(): boolean
}

type Follow = (url: string, onData: (data: string) => void) => Following

/** The rest of what a browser has, for a library that was written for one. */
function likeInBrowser(): void {
  const document = { hidden: false, addEventListener() {}, removeEventListener() {} }
  Object.assign(globalThis, { window: globalThis, document })
}

const followers: Readonly<Record<string, Follow>> = {
  eventsource(url, onData) {
    const source = new EventSource(url)
    source.onmessage = ({ data }) => onData(data)
    return { close: () => source.close(), isClosed: () => source.readyState === source.CLOSED }
  },
  'event-source-polyfill'(url, onData) {
    vi.spyOn(console, 'error').mockReturnValue() // it prints every connection that ends
    const source = new polyfill.EventSourcePolyfill(url)
    source.onmessage = ({ data }) => onData(data)
    return { close: () => source.close(), isClosed: () => source.readyState === 2 }
  },
  '@microsoft/fetch-event-source'(url, onData) {
    likeInBrowser()
    const leaving = new AbortController()
    let isClosed = false
    const following = fetchEventSource(url, {
      signal: leaving.signal,
      openWhenHidden: true,
      // It hands out blocks without data as messages with none.
      onmessage: ({ data }) => data !== '' && onData(data),
      onclose() {
        throw new Error('ended') // which is how one has it come again
      },
    })
    void following
      .catch(() => undefined)
      .finally(() => {
        isClosed = true
      })
    return { close: () => leaving.abort(), isClosed: () => isClosed }
  },
  'eventsource-parser'(url, onData) {
    const leaving = new AbortController()
    let lastId = ''
    const follow = async () => {
      const headers = { Accept: 'text/event-stream', ...(lastId !== '' && { 'Last-Event-ID': lastId }) }
      const { body } = await fetch(url, { headers, signal: leaving.signal })
      const onEvent = ({ id = lastId, data }: { id?: string | undefined; data: string }) => {
        lastId = id
        onData(data)
      }
      const parser = createParser({ onEvent })
      const decoder = new TextDecoder()
      for await (const chunk of body ?? []) parser.feed(decoder.decode(chunk, { stream: true }))
    }
    const following = async () => {
      while (!leaving.signal.aborted) {
        await follow().catch(() => undefined)
        await pause(100)
      }
    }
    void following()
    return { close: () => leaving.abort(), isClosed: () => false }
  },
}

interface Stored {
  readonly topic: string
  readonly seq: number
}

test('each of them has every event once, in order, over gateways that are killed, stopped and started [P5]', async () => {
  await using system = await ownSystem()
  const publish = async (from: number, to: number) => {
    const events = Array.from({ length: to - from + 1 }, (_, index) => ({
      topic: `followed.${index % 2 === 0 ? 'a' : 'b'}`,
      event_id: `e${from + index}`,
      timestamp: '2025-12-08T10:00:00Z',
      source: 'shop',
      payload: { n: from + index },
    }))
    const headers = { 'Content-Type': 'application/json' }
    const sent = { method: 'POST', headers, body: JSON.stringify(events) }
    expect((await fetch(`${system.url}/publish`, sent)).status).toBe(200)
  }
  const seen: Record<string, string[]> = {}
  const following: [name: string, Following][] = []
  for (const [library, follow] of Object.entries(followers)) {
    for (const topic of ['followed.a', 'followed.%3E']) {
      const name = `${library} ${topic}`
      const got: string[] = []
      seen[name] = got
      const onData = (data: string) => {
        const { topic, seq } = JSON.parse(data) as Stored
        got.push(`${topic} ${seq}`)
      }
      following.push([name, follow(`${system.url}/tail?topic=${topic}&from=start`, onData)])
    }
  }
  const haveSeen = (perTopic: number) =>
    eventually(() => {
      for (const [name, got] of Object.entries(seen)) {
        expect([name, got.length]).toEqual([name, name.endsWith('.a') ? perTopic : 2 * perTopic])
      }
    }, 30_000)

  await publish(1, 100)
  await haveSeen(50)
  let { gateway }: { gateway: Awaited<ReturnType<typeof startGateway>> | typeof system.gateway } = system
  for (const [round, signal] of (['SIGKILL', 'SIGTERM'] as const).entries()) {
    gateway.signal(signal)
    await gateway.exited
    gateway = await startGateway({ ...system.env, PORT: new URL(system.url).port })
    await publish(101 + 100 * round, 200 + 100 * round)
    await haveSeen(100 + 50 * round)
  }
  for (const [name, got] of Object.entries(seen)) {
    for (const topic of name.endsWith('.a') ? ['a'] : ['a', 'b']) {
      const ofTopic = got.filter((one) => one.startsWith(`followed.${topic} `))
      expect([name, ofTopic]).toEqual([
        name,
        Array.from({ length: 150 }, (_, n) => `followed.${topic} ${n + 1}`),
      ])
    }
  }
  for (const [name, { close, isClosed }] of following) {
    expect([name, isClosed()]).toEqual([name, false])
    close()
  }
  await gateway[Symbol.asyncDispose]()
})
