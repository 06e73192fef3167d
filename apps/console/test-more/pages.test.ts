/** Lists that come in pages, while what they show grows. */
import { makeDead } from '@sekali/testkit/letters'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { ownBrowser, ownPage } from './own-browser.ts'
import { ownMending } from './own-mending.ts'

const idsOf = (page: Page) => page.locator('tbody tr td:first-child a').allTextContents()

test('a list that grows while somebody reads on loses no row, also if the page was hidden for a while', async () => {
  await using own = await ownMending()
  for (let at = 1; at <= 130; at++) await makeDead(own.store, `p-${at}`, { topic: 'paged' })
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  const { page } = tab
  const polled = () =>
    page.waitForResponse((response) => response.url().includes('/dead-letters?limit=100') && response.ok())
  await page.goto(`${own.url}#/dead-letters?topic=paged`)
  await page.getByText('100 letters so far').waitFor()
  await polled()
  const before = await idsOf(page)
  for (let at = 131; at <= 133; at++) await makeDead(own.store, `p-${at}`, { topic: 'paged' })
  await page.getByRole('button', { name: 'Show more' }).click()
  await page.getByText('130 letters').waitFor()
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  for (const state of ['hidden', 'visible']) {
    await page.evaluate((state) => {
      Object.defineProperty(document, 'visibilityState', { value: state, configurable: true })
      document.dispatchEvent(new Event('visibilitychange'))
    }, state)
  }
  // The banner about the gateway's health is asked for when the page is seen again
  await expect.poll(() => asked.length).toBeGreaterThan(0)
  expect(asked.filter((url) => url.includes('/dead-letters'))).toEqual([])
  const after = await idsOf(page)
  expect(after.slice(0, 100)).toEqual(before)
  expect(new Set(after).size).toBe(130)
  // Newer ones have come
  await page.getByText('130 letters so far').waitFor()
  expect(tab.faults).toEqual([])
})
