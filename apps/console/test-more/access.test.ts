/** For everybody: with a keyboard, a screen reader, on a telephone, by day and by night. */
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { seriousFindings } from './axe.ts'
import { ownBrowser, ownPage } from './own-browser.ts'
import { eventsText, eventText, ownConsole } from './own-console.ts'
import { viewPaths } from './views.ts'

const settle = async (page: Page) => {
  await page.getByRole('heading', { level: 1 }).waitFor()
  await page.waitForFunction(() => !document.body.textContent.includes('Reading …'))
}

async function ownFilledConsole() {
  const own = await ownConsole()
  await own.publish(eventsText(150))
  await own.publish(eventText({ source: 'another' })) // a conflict
  await own.settled()
  return own
}

test('axe finds nothing serious on any view, by day and by night', async () => {
  await using own = await ownFilledConsole()
  await using browser = await ownBrowser()
  for (const colorScheme of ['light', 'dark'] as const) {
    await using tab = await ownPage(browser, { colorScheme })
    for (const [view, path] of Object.entries(viewPaths)) {
      await tab.page.goto(`${own.url}#/${path}`)
      await settle(tab.page)
      expect({ view, colorScheme, findings: await seriousFindings(tab.page) }).toEqual({
        view,
        colorScheme,
        findings: [],
      })
    }
  }
})

test('a chart has a name, and a table for whoever cannot see it', { timeout: 240_000 }, async () => {
  await using own = await ownFilledConsole()
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  await tab.page.goto(own.url)
  const chart = tab.page.getByRole('figure', { name: 'Events accepted and stored a second' })
  // A gateway has a value for each ten seconds, and leaves out up to five of them where its machine is busy.
  await chart.waitFor({ timeout: 150_000 })
  await chart.locator('canvas').waitFor()
  const table = chart.getByRole('table', { name: 'Events accepted and stored a second' })
  expect(await table.getByRole('columnheader').allTextContents()).toEqual(['Time', 'accepted', 'stored'])
  expect(await table.getByRole('cell').last().textContent()).toMatch(/\/s$/)
  expect(tab.faults).toEqual([])
  expect(await seriousFindings(tab.page)).toEqual([])
})

test('no view is wider than a telephone, or than a large screen', async () => {
  await using own = await ownFilledConsole()
  await own.publish(eventText({ topic: 't'.repeat(128), event_id: 'i'.repeat(256), source: 's'.repeat(128) }))
  await own.settled()
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  const long = {
    'long topic': `topics/${'t'.repeat(128)}`,
    'long id': `events/${'t'.repeat(128)}/${'i'.repeat(256)}`,
  }
  for (const screen of [360, 1_440]) {
    await tab.page.setViewportSize({ width: screen, height: 720 })
    for (const [view, path] of Object.entries({ ...viewPaths, ...long })) {
      await tab.page.goto(`${own.url}#/${path}`)
      await settle(tab.page)
      const width = await tab.page.evaluate(() => document.documentElement.scrollWidth)
      expect({ view, width }).toEqual({ view, width: screen })
    }
  }
})

test('it works by keyboard: skip, find, sort, walk through rows, change tabs', async () => {
  await using own = await ownFilledConsole()
  await own.publish(eventText({ topic: 'a.first' }))
  await own.settled()
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  const { page } = tab
  const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '')
  await page.goto(own.url)
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  await page.keyboard.press('Tab')
  expect(await focused()).toBe('Skip to content')
  await page.keyboard.press('Enter')
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('MAIN')

  await page.getByRole('link', { name: 'Topics', exact: true }).press('Enter')
  await page.getByRole('button', { name: 'Stored' }).press('Enter')
  await page
    .getByRole('columnheader', { name: 'Stored' })
    .and(page.locator('[aria-sort=descending]'))
    .waitFor()
  await page.getByRole('link', { name: 'orders.eu.paid' }).focus()
  await page.keyboard.press('ArrowDown')
  expect(await focused()).toBe('a.first')
  await page.keyboard.press('ArrowUp')
  expect(await focused()).toBe('orders.eu.paid')

  await page.getByRole('searchbox', { name: /Find/ }).fill('order-150')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: 'order-150' }).waitFor()
  await page.getByRole('tab', { name: 'Tree' }).focus()
  await page.keyboard.press('ArrowRight')
  expect(await page.getByRole('tabpanel').locator('pre').textContent()).toBe('{"total":12.50}')
  await page.goBack()
  await page.getByRole('heading', { level: 1, name: 'Topics' }).waitFor()
})

test('arrow keys go from event to event, further than what is drawn, at the same place of each', async () => {
  await using own = await ownFilledConsole()
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  const { page } = tab
  const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '')
  for (const view of ['search?topic=orders.%3E', 'topics/orders.eu.paid']) {
    await page.goto(`${own.url}#/${view}`)
    await page.getByRole('listitem').getByRole('link', { name: 'order-150', exact: true }).focus()
    await page.keyboard.press('ArrowDown')
    expect(await focused(), view).toBe('order-149')
    for (let at = 148; at >= 100; at--) {
      await page.keyboard.press('ArrowDown')
      await expect.poll(focused).toBe(`order-${at}`)
    }
    await page.keyboard.press('ArrowUp')
    expect(await focused(), view).toBe('order-101')
  }
  await page.getByRole('listitem').getByRole('link', { name: 'order-101', exact: true }).press('Enter')
  await page.getByRole('heading', { level: 1, name: 'order-101' }).waitFor()
})
