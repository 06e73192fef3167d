/** What a newcomer does, in the browser alone. */
import { expect, test } from 'vitest'
import { ownBrowser, ownPage } from './own-browser.ts'
import { eventText, ownConsole } from './own-console.ts'
import { ownMending } from './own-mending.ts'

test('the page opens behind a prefix, and an event is published, seen, found by its id, and met by a conflict', async () => {
  await using own = await ownConsole()
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  const { page } = tab
  await page.goto(own.url)
  await page.getByRole('link', { name: 'Publish', exact: true }).click()
  await page.getByLabel('Topic', { exact: true }).fill('orders.eu.paid')
  await page.getByLabel('Event id', { exact: true }).fill('order-1')
  await page.getByLabel('Payload').fill('{"total": 12.50}')
  await page.getByRole('button', { name: 'Publish' }).click()
  await page.getByText('Stored as number 1').waitFor()
  await page.getByRole('button', { name: 'Publish' }).click()
  await page.getByText('It was there already, as number 1').waitFor()
  await page.getByLabel('Payload').fill('{"total": 13}')
  await page.getByRole('button', { name: 'Publish' }).click()
  await page.getByText('Conflict: another content has this event id').waitFor()

  await page.getByRole('searchbox', { name: /Find/ }).fill('order-1')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: 'order-1' }).waitFor()
  await page.getByText('12.50').first().waitFor()
  await page.getByRole('region', { name: 'Receipt' }).getByRole('link', { name: 'orders.eu.paid' }).click()
  await page.getByRole('heading', { level: 1, name: 'orders.eu.paid' }).waitFor()
  await page.getByRole('region', { name: 'Conflicts', exact: true }).getByText('order-1').waitFor()
  await page
    .getByRole('region', { name: /^What came/ })
    .getByText('adds up')
    .waitFor()
  expect(tab.faults).toEqual([])
  expect([...tab.origins]).toEqual([new URL(own.url).origin])
})

test('what the gateway refuses stands beside its field', async () => {
  await using own = await ownConsole()
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  const { page } = tab
  await page.goto(`${own.url}#/publish`)
  await page.getByLabel('Topic', { exact: true }).fill('orders')
  await page.getByLabel('Timestamp').fill('yesterday')
  await page.getByLabel('Payload').fill('[]')
  await page.getByRole('button', { name: 'Publish' }).click()
  const timestamp = page.getByLabel('Timestamp')
  await expect.poll(() => timestamp.getAttribute('aria-invalid')).toBe('true')
  expect(await page.getByLabel('Payload').getAttribute('aria-invalid')).toBe('true')
  expect(await page.getByLabel('Topic', { exact: true }).getAttribute('aria-invalid')).toBe('false')
})

test('a conflict is resolved and a projection rebuilt, from link to link', async () => {
  await using own = await ownMending({ withProjector: true })
  await own.publish(eventText({}, '{"total":12.50}'))
  await own.publish(eventText({}, '{"total":13}'))
  await own.settled()
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  const { page } = tab
  await page.goto(`${own.url}#/topics/orders.eu.paid`)
  await page.getByRole('region', { name: 'Conflicts', exact: true }).getByRole('link').first().click()
  await page.getByText('The id was used twice: the payload differs').waitFor()
  await page.getByRole('button', { name: 'Publish as…' }).click()
  await page.getByLabel('New event id').fill('order-1b')
  await page.getByRole('button', { name: 'Publish', exact: true }).click()
  await page.getByText('Somebody has settled this: nothing is left to do').waitFor()
  await page.getByRole('link', { name: 'order-1b' }).click()
  await page.getByRole('heading', { level: 1, name: 'order-1b' }).waitFor()
  await page.getByRole('link', { name: 'Projections' }).click()
  await page.getByRole('link', { name: 'latest' }).click()
  await page.getByRole('button', { name: 'Rebuild…' }).click()
  await page.getByRole('button', { name: 'Rebuild', exact: true }).click()
  await page.getByText('latest is being rebuilt').waitFor()
  await page.locator('summary').filter({ hasText: 'orders.eu.paid shop-1' }).click()
  await page.getByRole('region', { name: 'State of orders.eu.paid shop-1' }).getByText('"order-1b"').waitFor()
  expect(tab.faults).toEqual([])
})
