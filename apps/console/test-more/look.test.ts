/** What stands where it is looked for: outcomes, the focus, and a page that does not move. */
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { ownBrowser, ownPage } from './own-browser.ts'
import { eventText, ownConsole } from './own-console.ts'
import { ownMending } from './own-mending.ts'

interface Shift {
  readonly value: number
  readonly sources: readonly { readonly node: Node | null }[]
}

const fill = async (page: Page, timestamp = '2025-12-08T10:00:00Z') => {
  await page.getByLabel('Topic', { exact: true }).fill('orders')
  await page.getByLabel('Timestamp').fill(timestamp)
}
const publish = (page: Page) => page.getByRole('button', { name: 'Publish' })

test('what came of publishing is seen where the button is, and the form stays where it was', async () => {
  await using own = await ownConsole()
  await using browser = await ownBrowser()
  for (const viewport of [
    { width: 360, height: 640 },
    { width: 1_280, height: 800 },
  ]) {
    await using tab = await ownPage(browser, { viewport })
    const { page } = tab
    await page.goto(`${own.url}#/publish`)
    await fill(page)
    await publish(page).scrollIntoViewIfNeeded()
    const topic = page.getByLabel('Topic', { exact: true })
    const before = await topic.evaluate((element) => element.getBoundingClientRect().top + scrollY)
    await publish(page).click()
    const outcome = page.getByText('Stored as number')
    await outcome.waitFor()
    await expect
      .poll(() =>
        outcome.evaluate((element) => {
          const { top, bottom } = element.getBoundingClientRect()
          return top >= 0 && bottom <= innerHeight
        }),
      )
      .toBe(true)
    expect(await topic.evaluate((element) => element.getBoundingClientRect().top + scrollY)).toBe(before)
  }
})

test('the focus stays at a button that is busy, and goes to the first field that is wrong', async () => {
  await using own = await ownConsole()
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  const { page } = tab
  await page.goto(`${own.url}#/publish`)
  await fill(page)
  await publish(page).focus()
  await page.keyboard.press('Enter')
  await page.getByText('Stored as number 1').waitFor()
  const focused = () => page.evaluate(() => document.activeElement?.textContent)
  expect(await focused()).toBe('Publish')
  await fill(page, 'yesterday')
  await publish(page).focus()
  await page.keyboard.press('Enter')
  const timestamp = page.getByLabel('Timestamp')
  await expect.poll(() => timestamp.evaluate((element) => element === document.activeElement)).toBe(true)
  const colours = await timestamp.evaluate((element) => {
    const other = document.querySelector('[aria-invalid=false]') as Element
    return [element, other].map((one) => getComputedStyle(one).borderTopColor)
  })
  expect(colours[0]).not.toBe(colours[1])
})

test('the page does not move while it loads, and its frame is there before its script', async () => {
  await using own = await ownConsole()
  await own.publish(eventText())
  await own.settled()
  await using browser = await ownBrowser()
  for (const path of ['', '#/topics', '#/topics/orders.eu.paid']) {
    await using tab = await ownPage(browser)
    const { page } = tab
    await page.addInitScript(() => {
      const seen = window as unknown as { moved: number; what: string[] }
      seen.moved = 0
      seen.what = []
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries() as unknown as Shift[]) {
          seen.moved += entry.value
          for (const { node } of entry.sources) seen.what.push(node?.textContent ?? '')
        }
      }).observe({ type: 'layout-shift', buffered: true })
    })
    await page.route(/\/(stats|rates|doctor|events|session)\b/, async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 300))
      await route.continue()
    })
    await page.goto(`${own.url}${path}`)
    await page.getByText('orders.eu.paid').or(page.getByText('adds up')).first().waitFor()
    await page.waitForLoadState('networkidle').catch(() => undefined)
    const { moved, what } = await page.evaluate(() => {
      const { moved, what } = window as unknown as { moved: number; what: string[] }
      return { moved, what }
    })
    expect([path, moved < 0.05 ? [] : what]).toEqual([path, []])
  }
})

test('before the script has come there is a frame', async () => {
  await using own = await ownConsole()
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  await tab.page.route(/\.js$/, (route) => route.abort())
  await tab.page.goto(own.url)
  await tab.page.locator('.side').waitFor()
  expect(tab.faults).toEqual([])
})

test('on a narrow screen tables are whole, and a view begins with its name', async () => {
  await using own = await ownMending()
  await own.publish(eventText({}, '{"total":12.50}'))
  await own.publish(eventText({}, '{"total":13}'))
  await own.settled()
  const id = await own.newest('orders.eu.paid')
  const headers = { 'Content-Type': 'application/json' }
  await fetch(`${own.apiUrl}/dead-letters/${id}/publish-as`, {
    ...{ method: 'POST', headers, body: '{"event_id":"order-1b"}' },
  })
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser, { viewport: { width: 360, height: 740 } })
  const { page } = tab
  await page.goto(`${own.url}#/dead-letters?state=all`)
  await page.locator('td').getByText('published as').waitFor()
  const table = page.getByRole('region', { name: 'Dead letters and conflicts' })
  expect(await table.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).toBe(0)
  await page.goto(`${own.url}#/docs`)
  const topOf = async (part: string) => (await page.locator(part).first().boundingBox())?.y ?? 0
  await page.locator('.docs-list a').first().waitFor()
  expect(await topOf('h1')).toBeLessThan(await topOf('.docs-list a'))
  await page.goto(`${own.url}#/events/orders.eu.paid/order-1`)
  const neighbour = page.locator('.neighbours li').first()
  await neighbour.waitFor()
  const { x: left } = (await neighbour.boundingBox()) ?? { x: 0 }
  expect((await neighbour.locator('.event-seq').boundingBox())?.x).toBe(left)
})
