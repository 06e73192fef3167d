/** The console in a browser, on a system with a thousand topics. The browser counts among the others on the machine. */
import { setTimeout as pause } from 'node:timers/promises'
import { ensureConsole } from '@sekali/local/console'
import { narrate } from '@sekali/local/narration'
import { repositoryRoot } from '@sekali/local/repository'
import type { Browser, Page } from 'playwright-core'
import { startMeter } from '../measure/processor-time.ts'
import { percentile } from '../measure/statistics.ts'
import type { Measure, Side } from '../row.ts'
import type { Bench } from '../system/bench.ts'
import { openBrowser, openPage, readHeapBytes, show } from '../system/browser.ts'
import { type System, startSystem } from '../system/system.ts'

const topics = 1_000
const paints = 20
const eventsASecond = 1_000
const batches = 10
const liveMs = 60_000
const watchMs = 60_000
const settleMs = 5_000

/** As if consumers had been there before. */
const rows = `INSERT INTO topics (name, head)
  SELECT 'shown.t' || n, (random() * 1000)::int FROM generate_series(1, $1::int) n`

interface Opened {
  readonly bench: Bench
  readonly system: System
  readonly browser: Browser
}

const side = (measure: (opened: Opened) => Promise<Measure>): Side => ({
  name: 'sekali',
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    await ensureConsole(repositoryRoot, narrate)
    const system = parts.use(await startSystem(bench, { consumers: 1 }))
    await system.store.pool.query(rows, [topics])
    const browser = parts.use(await openBrowser())
    await firstPaintMs(browser, system.url) // the gateway compresses the files, and compiles what it does
    const opened = parts.move()
    return {
      measure: () => measure({ bench, system, browser }),
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  },
})

/** From the click to the first paint of the overview, with nothing kept. */
export const paint = side(async ({ bench, system, browser }) => {
  const stop = startMeter(system.processes)
  const times: number[] = []
  for (let n = 0; n < bench.scaled(paints); n++) times.push(await firstPaintMs(browser, system.url))
  return { ...stop(), value: percentile(times, 0.5), also: { 'slowest ms': Math.max(...times) } }
})

async function firstPaintMs(browser: Browser, url: string): Promise<number> {
  await using page = await openPage(browser)
  await page.goto(`${url}/`)
  await page.getByText('In flight').first().waitFor()
  const ms = await page.evaluate<number | undefined>(
    `performance.getEntriesByName('first-contentful-paint')[0]?.startTime`,
  )
  if (ms === undefined) throw new Error('the browser has not said when it painted first')
  return ms
}

/** The longest that an input waits for what it changes on the screen, while events come live. */
export const live = side(async ({ bench, system, browser }) => {
  await using page = await openPage(browser)
  await page.addInitScript({ content: observeInputs })
  await page.goto(`${system.url}/#/search?topic=live.%3E`)
  await page.getByText('live', { exact: true }).waitFor()
  const ms = bench.scaled(liveMs)
  await publishFor(system.url, ms / 6, page) // until the page keeps as many rows as it ever does
  const before = await readHeapBytes(page)
  await page.evaluate('globalThis.longestInputMs = 0')
  const stop = startMeter(system.processes)
  await publishFor(system.url, ms, page)
  const used = stop()
  const longest = await page.evaluate<number>('globalThis.longestInputMs')
  const grownBytes = (await readHeapBytes(page)) - before
  return { ...used, value: Math.max(longest, inputMsMin), also: { 'heap grown MB': grownBytes / 1e6 } }
})

/** The browser says nothing of inputs that take less. */
const inputMsMin = 16

const observeInputs = `
  globalThis.longestInputMs = 0
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longestInputMs = Math.max(longestInputMs, duration)
  }).observe({ type: 'event', durationThreshold: ${inputMsMin} })`

let published = 0

/** A thousand events a second, and a key twice a second. It throws if it falls behind: the page would have it easy. */
async function publishFor(url: string, ms: number, page: Page): Promise<void> {
  const [startedAt, everyMs] = [performance.now(), 1_000 / batches]
  const rounds = Math.ceil(ms / everyMs)
  for (let round = 0; round < rounds; round++) {
    await Promise.all([publish(url), round % (batches / 2) === 0 ? page.keyboard.press('Tab') : undefined])
    await pause(Math.max(0, startedAt + (round + 1) * everyMs - performance.now()))
  }
  const rate = (rounds * (eventsASecond / batches) * 1_000) / (performance.now() - startedAt)
  if (rate < 0.9 * eventsASecond) throw new Error(`only ${Math.round(rate)} events a second were published`)
}

async function publish(url: string): Promise<void> {
  const events = Array.from({ length: eventsASecond / batches }, () => ({
    topic: `live.t${++published % 10}`,
    event_id: `live-${published}`,
    timestamp: '2026-01-01T00:00:00Z',
    source: 'bench',
    payload: { number: published },
  }))
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${url}/publish`, { method: 'POST', headers, body: JSON.stringify(events) })
  if (!answer.ok) throw new Error(`POST /publish answered ${answer.status}: ${await answer.text()}`)
}

/** What an open overview costs those who answer it, beyond what they take without it. */
export const cost = side(async ({ bench, system, browser }) => {
  const watch = async () => {
    await pause(settleMs, undefined, { signal: bench.signal })
    const stop = startMeter(system.processes)
    await pause(bench.scaled(watchMs), undefined, { signal: bench.signal })
    const used = stop()
    const { gateway = 0, redis = 0, postgres = 0 } = used.cpu
    return { used, cores: (gateway + redis + postgres) / used.clockSeconds }
  }
  const without = await watch()
  await using page = await openPage(browser)
  await page.goto(`${system.url}/`)
  await page.getByText('In flight').first().waitFor()
  const open = await watch()
  await show(page, 'hidden')
  const hidden = await watch()
  const also = { 'without it, cores': without.cores, 'hidden, more cores': hidden.cores - without.cores }
  return { ...open.used, value: Math.max(0, open.cores - without.cores), also }
})
