/** A page that is open all day must not grow. */
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { ownBrowser, ownPage } from './own-browser.ts'
import { eventsText, ownConsole } from './own-console.ts'

/** Bytes of the heap and nodes of the document, once what nobody needs any more is gone. */
async function ownUsage(page: Page) {
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable')
  return async () => {
    await session.send('HeapProfiler.collectGarbage')
    const { metrics } = await session.send('Performance.getMetrics')
    const metricOf = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN
    return { heapBytes: metricOf('JSHeapUsedSize'), nodes: metricOf('Nodes') }
  }
}

/** Fewer than the page keeps of what comes between two hand-overs, so that it reads each of them. */
const perBatch = 500
const growthBytesMax = 1_000_000

test('twenty thousand events come live, and the page needs no more than for the first thousands', async () => {
  await using own = await ownConsole()
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  const { page } = tab
  const topSeq = () => page.locator('li .event-seq').first().textContent()
  const publishBatches = async (from: number, to: number) => {
    for (let at = from; at < to; at++) {
      await own.publish(eventsText(perBatch, {}, `batch-${at}`))
      const seq = ((at + 1) * perBatch).toLocaleString('en-US')
      await expect.poll(topSeq, { timeout: 30_000 }).toBe(seq)
    }
  }
  await page.goto(`${own.url}#/search?topic=orders.%3E`)
  await page.getByText('live', { exact: true }).waitFor()
  const usage = await ownUsage(page)
  await publishBatches(0, 8)
  const early = await usage()
  await publishBatches(8, 40)
  const late = await usage()
  expect(early.heapBytes).toBeGreaterThan(1_000_000)
  expect(late.heapBytes).toBeLessThan(early.heapBytes + growthBytesMax)
  expect(late.nodes).toBeLessThan(early.nodes + 500)
  expect(tab.faults).toEqual([])
})
