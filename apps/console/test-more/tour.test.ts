/** What a newcomer does, in the browser alone. */
import { expect, test } from 'vitest'
import { ownBrowser, ownPage } from './own-browser.ts'
import { eventText, ownConsole } from './own-console.ts'
import { type OwnMending, ownMending } from './own-mending.ts'

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
  const sentTime = await page.getByLabel('Timestamp').inputValue()
  await page.getByLabel('Timestamp').fill('2020-01-01T00:00:00Z')
  await page.getByRole('button', { name: 'Publish' }).click()
  await page.getByText('Its timestamp differs').waitFor()
  await page.getByRole('link', { name: 'See the event' }).click()
  const receipt = page.getByRole('region', { name: 'Receipt' })
  await receipt.getByText('2020-01-01T00:00:00Z').waitFor()
  await receipt.getByText(sentTime.slice(0, -1)).waitFor()
  await page.goBack()
  await page.getByLabel('Topic', { exact: true }).fill('orders.eu.paid')
  await page.getByLabel('Event id', { exact: true }).fill('order-1')
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

test('a double click publishes once', async () => {
  await using own = await ownConsole()
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  const { page } = tab
  let published = 0
  page.on('request', (request) => {
    if (request.method() === 'POST') published += 1
  })
  await page.goto(`${own.url}#/publish?topic=orders`)
  await page.getByLabel('Payload').fill('{}')
  // Both clicks come before anything can be drawn anew
  await page.getByRole('button', { name: 'Publish' }).evaluate((element: HTMLElement) => {
    element.click()
    element.click()
  })
  await page.getByText(/as number 1$/).waitFor()
  expect(published).toBe(1)
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

test('what comes is followed, a conflict made and resolved and a projection rebuilt, from link to link', async () => {
  await using own = await ownMending({ withProjector: true })
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  const { page } = tab
  const publish = async (payload: string) => {
    await page.getByLabel('Event id', { exact: true }).fill('order-1')
    await page.getByLabel('Timestamp').fill('2025-12-08T10:00:00Z')
    await page.getByLabel('Payload').fill(payload)
    await page.getByRole('button', { name: 'Publish' }).click()
  }
  await page.goto(`${own.url}#/publish?topic=orders.eu.paid`)
  await publish('{"total":12.50}')
  await page.getByText('Stored as number 1').waitFor()
  await page.getByRole('link', { name: 'its topic' }).click()
  const events = page.getByRole('region', { name: 'Events, newest first' })
  await events.getByRole('link', { name: 'order-1', exact: true }).waitFor()
  await page.getByText('live', { exact: true }).waitFor()
  await own.publish(eventText({ event_id: 'order-2' }))
  await events.getByRole('link', { name: 'order-2', exact: true }).waitFor()

  await page.getByRole('main').getByRole('link', { name: 'Publish', exact: true }).click()
  await publish('{"total":13}')
  await page.getByRole('link', { name: 'compare both contents' }).click()
  await page.getByRole('link', { name: 'c-1', exact: true }).click()
  await page.getByText('The id was used twice: the payload differs').waitFor()
  await page.getByRole('button', { name: 'Publish as…' }).click()
  await page.getByLabel('New event id').fill('order-1b')
  await page.getByRole('button', { name: 'Publish', exact: true }).click()
  await page.getByText('Somebody has settled this: nothing is left to do').waitFor()
  await page.getByRole('link', { name: 'order-1b' }).click()
  await page.getByRole('heading', { level: 1, name: 'order-1b' }).waitFor()

  await page.getByRole('link', { name: 'Projections' }).click()
  await page.getByRole('link', { name: 'latest' }).click()
  const before = await liveGeneration(own)
  await page.getByRole('button', { name: 'Rebuild…' }).click()
  await page.getByRole('button', { name: 'Rebuild', exact: true }).click()
  await page.getByText('latest is being rebuilt').waitFor()
  await expect.poll(() => liveGeneration(own), { timeout: 30_000 }).toBeGreaterThan(before)
  await page.getByRole('region', { name: /^Rebuild, version/ }).waitFor({ state: 'hidden' })
  await page.locator('summary').filter({ hasText: 'orders.eu.paid console' }).click()
  const state = page.getByRole('region', { name: 'State of orders.eu.paid console' })
  await state.getByText('"order-1b"').waitFor()
  expect(tab.faults).toEqual([])
})

/** Which generation of the projection `latest` is on show. */
async function liveGeneration({ store }: OwnMending): Promise<number> {
  const { rows } = await store.pool.query(
    `SELECT id FROM projections.generations WHERE name = 'latest' AND stage = 'live'`,
  )
  return rows[0]?.id ?? 0
}
